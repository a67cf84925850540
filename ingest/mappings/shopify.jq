# Shopify's order and fulfillment webhooks, at POST /v1/hooks/shopify.
#
# What a payload is shows in its shape; X-Shopify-Topic is not needed. An order is placed once, however often it is told of
# (create, updated, paid …): the same event id makes the rest duplicates. Lists of them, as the API gives out, are taken one by one. Refunds within an order are returns. A fulfillment is a
# delivery once its shipment_status says so. A customer is known by e-mail address, because fulfillments name nothing else; without one
# by the customer's id (an order's user_id is the shop's own clerk). Carts, checkouts and customers say nothing yet. A source for it:
#   {name: shopify, secret: …, signature_header: X-Shopify-Hmac-Sha256}
def customer: (.email // .contact_email // .customer.email // "" | ascii_downcase | blank) // .customer.id | if . == null then null else tostring end;
def channel: {pos: "STORE", iphone: "APP", android: "APP"}[.source_name // ""] // "WEB";
def region: .shipping_address.country_code // .billing_address.country_code // .customer.default_address.country_code;

(if type == "array" then .[] elif (.orders | type) == "array" then .orders[] elif (.fulfillments | type) == "array" and .order_number == null then .fulfillments[] else . end)
| (.order // .fulfillment // .) as $it
| ($it | customer) as $customer
| if $customer == null then null
  elif $it | has("financial_status") or has("order_number") then
    $it | (.id | needed("id") | tostring) as $order
    | {source: "shopify", customer_id: $customer, channel: channel, region: region, product: (.line_items[0].title | blank | clip(60))} as $common
    | $common + {event_id: ($order + "/placed"), occurred_at: .created_at, type: "OrderPlaced",
        data: {order_id: $order, amount_minor: (.currency as $currency | .total_price | minor($currency | digits)), currency}},
      (.refunds[]? | select((.refund_line_items // []) | length > 0)
       | $common + {event_id: ($order + "/refund/" + (.id | tostring)), occurred_at: .created_at, type: "ProductReturned",
           data: {order_id: $order, reason: (.note | blank // "refund" | clip(1000))}})
  elif $it | has("tracking_numbers") and has("order_id") then
    $it | if .shipment_status != "delivered" then null else
      {source: "shopify", customer_id: $customer, channel: "POST", event_id: ((.order_id | needed("order_id") | tostring) + "/delivered/" + (.id | needed("id") | tostring)),
       occurred_at: .updated_at, type: "OrderDelivered", data: {order_id: (.order_id | tostring)}} end
  else null end
