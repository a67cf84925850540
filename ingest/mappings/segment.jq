# Segment's track calls (single or batch), at POST /v1/hooks/segment. Other calls say nothing.
#
# «Order Completed» is an order (order_id, total or revenue, currency), «Order Refunded» a return; any other event is a product used,
# for properties.seconds (or duration) if it has them. A customer is userId, else anonymousId; context.groupId is the segment.
# The time is timestamp, which Segment has put right; originalTimestamp is what the clock of the device showed.
def app: (.channel // .context.library.name // "" | ascii_downcase) | test("mobile|android|ios|sdk");
def order: .properties.order_id // .properties.orderId // error("an order without order_id") | tostring;
def told:
  if .type != null and .type != "track" then {type: null}
  elif .event == "Order Completed" then
    (.properties.currency // "USD" | ascii_upcase) as $currency
    | {type: "OrderPlaced", data: {order_id: order, amount_minor: (.properties.total // .properties.revenue // 0 | minor($currency | digits)), $currency}}
  elif .event == "Order Refunded" then {type: "ProductReturned", data: {order_id: order, reason: (.properties.reason // "refund" | clip(1000))}}
  elif .event then {type: "ProductUsed", data: {feature: (.event | clip(64)), seconds: (.properties.seconds // .properties.duration // 0 | tonumber | floor)}}
  else {type: null} end;
def at: .timestamp // .originalTimestamp // .sentAt;
(.batch // [.])[]
| (.userId // .anonymousId | blank) as $customer | told as $told
| if $told.type == null or $customer == null then null else
    {event_id: (.messageId // id_of($customer, at, .event)), source: "segment", customer_id: ($customer | tostring),
     occurred_at: at, channel: (if app then "APP" else "WEB" end), segment: (.context.groupId | blank | if . == null then null else tostring end),
     product: (.properties.product // .properties.product_id | blank | if . == null then null else tostring end)} + $told
  end
