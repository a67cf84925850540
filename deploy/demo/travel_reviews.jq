# One row of travel_reviews.csv: a public review, at noon of its day (the set has days only).
{event_id: ([.author, .date, .title] | join("/") | .[0:200]), source: "demo:travel", channel: "WEB", product: "booking",
 segment: "travel", region: .country, customer_id: ("traveller-" + .author), occurred_at: (.date + "T12:00:00Z"),
 type: "ReviewPosted", data: {stars: (.rating | tonumber), text: (.title + "\n" + .text)}}
