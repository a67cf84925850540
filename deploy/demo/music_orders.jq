# One row of music_orders.csv: a purchase, at noon of its day (the set has days only).
(.date | .[0:4] + "-" + .[4:6] + "-" + .[6:8]) as $day
| {event_id: ([.customer, .date, .quantity, .amount] | join("/")), source: "demo:music", channel: "WEB", product: "music",
   segment: "shop", customer_id: ("listener-" + .customer), occurred_at: ($day + "T12:00:00Z"),
   type: "OrderPlaced",
   data: {order_id: (.customer + "-" + .date), amount_minor: ((.amount | tonumber) * 100 | round), currency: "USD", offer: null}}
