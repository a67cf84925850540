# Reviews as exported from Trustpilot: author_hash, country, rating, title, text, date_of_experience.
#
#   touchstream import trustpilot_reviews.csv --mapping trustpilot
#
# Only the day is known: noon is taken. Who writes no title has the beginning of the text for one («I am very disappointed with…»): it is said once.
def says_nothing_of_its_own($text): rtrimstr("…") as $beginning | ($text // "") | startswith($beginning);
{event_id: id_of(.author_hash, .date_of_experience, (.title | clip(60))), source: "csv:trustpilot", channel: "WEB",
 region: (.country | blank), customer_id: .author_hash, occurred_at: (.date_of_experience[0:10] + "T12:00:00Z"),
 type: "ReviewPosted",
 data: {stars: (.rating | tonumber), text: ((.text | blank) as $text | [.title | blank | select(. != null and (says_nothing_of_its_own($text) | not))] + [$text | select(. != null)] | join("\n"))}}
