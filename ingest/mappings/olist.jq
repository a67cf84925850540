# Olist, the Brazilian marketplace: orders, deliveries with their promise, reviews.
#
#   touchstream import olist_orders_dataset.csv olist_order_reviews_dataset.csv --mapping olist
#
# The other files are side tables, found beside the first or given as --tables NAME=FILE:KEY.
# table: customers olist_customers_dataset.csv customer_id
# table: orders olist_orders_dataset.csv order_id
# table: items olist_order_items_dataset.csv order_id
# table: payments olist_order_payments_dataset.csv order_id
# table? products olist_products_dataset.csv product_id
#
# A customer is customer_unique_id: customer_id is made anew for every order. The amount of an order is the sum of its
# payments; its product is the category of its first item, null where the products table is absent. A delivery counts as promised
# until the instant of order_estimated_delivery_date. A review was posted when it was answered, not when it was asked for.
def customer: $tables.customers[.customer_id][0];
def category:
  $tables.items[.order_id] // [] | sort_by(.order_item_id | tonumber) | .[0].product_id
  | if . == null then null else ($tables.products // {})[.][0].product_category_name | blank end;
def amount: [$tables.payments[.order_id] // [] | .[].payment_value | minor] | add // 0;
def common($order):
  {source: "csv:olist", customer_id: ($order | customer.customer_unique_id), region: ($order | customer.customer_state),
   product: ($order | category), channel: "WEB"};

if has("order_purchase_timestamp") then
  common(.) as $common
  | $common + {event_id: (.order_id + "/placed"), occurred_at: (.order_purchase_timestamp | ts), type: "OrderPlaced",
      data: {order_id, amount_minor: amount, currency: "BRL"}},
    (if .order_delivered_customer_date == "" then null else
      $common + {event_id: (.order_id + "/delivered"), occurred_at: (.order_delivered_customer_date | ts), channel: "POST",
        type: "OrderDelivered", data: {order_id, promised_at: (.order_estimated_delivery_date | ts)}}
    end)
elif has("review_score") then
  common($tables.orders[.order_id][0])
  + {event_id: (.review_id + "/" + .order_id), occurred_at: (.review_answer_timestamp | ts), type: "ReviewPosted",
     data: {stars: (.review_score | tonumber),
            text: ([.review_comment_title, .review_comment_message] | map(select(blank != null)) | join("\n"))}}
else
  null
end
