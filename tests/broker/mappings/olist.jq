# A row of the Olist orders (joined with the customer's unique id) or of its reviews (joined likewise), told apart by their columns.
def iso: sub(" "; "T") + "Z";
def given: . != null and . != "";
{source: "csv:olist", channel: "WEB", product: null, segment: .customer_state, customer_id: .customer_unique_id} as $common
| if has("review_id") then
    $common + {event_id: ("review-" + .review_id + "-" + .order_id), type: "ReviewPosted", occurred_at: (.review_answer_timestamp | iso),
               data: {stars: (.review_score | tonumber), text: .review_comment_message}}
  else
    ($common + {event_id: ("placed-" + .order_id), type: "OrderPlaced", occurred_at: (.order_purchase_timestamp | iso),
                data: {order_id: .order_id, amount_minor: 0, currency: "BRL", offer: null}}),
    (if .order_delivered_customer_date | given then
       $common + {event_id: ("delivered-" + .order_id), type: "OrderDelivered", channel: "POST",
                  occurred_at: (.order_delivered_customer_date | iso),
                  data: {order_id: .order_id, promised_at: (.order_estimated_delivery_date | iso)}}
     else empty end)
  end
