# Reviews as exported from Trustpilot: author_hash, country, rating, title, text, date_of_experience.
#
#   touchstream import trustpilot_reviews.csv --mapping trustpilot
#
# Only the day is known: noon is taken.
{event_id: id_of(.author_hash, .date_of_experience, (.title | clip(60))), source: "csv:trustpilot", channel: "WEB",
 region: (.country | blank), customer_id: .author_hash, occurred_at: (.date_of_experience[0:10] + "T12:00:00Z"),
 type: "ReviewPosted",
 data: {stars: (.rating | tonumber), text: ([.title, .text] | map(select(blank != null)) | join("\n"))}}
