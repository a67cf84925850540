# Answers to a French garden store's satisfaction survey: 0-10 for recommending, satisfaction and intention, with comments.
#
#   touchstream import nps.csv --mapping nps_garden --rebase now
#
# The set has no times but a period index t: period t is taken as the t-th month of 2015, an answer's instant within it follows
# from its id. Satisfaction (0-10 there) becomes CSAT by halves: 0-2 -> 1 … 9-10 -> 5.
def instant:
  if .t | blank == null then error("the answer has no period (column t)")
  else (1420070400 + (.t | tonumber) * 2629800 + ((.id | tonumber) * 7919 % 2629800)) | todate end;

(.nps | blank) as $nps | (.satisfaction | blank) as $satisfaction
| {source: "csv:nps_garden", channel: "EMAIL", segment: "store", customer_id: ("store-" + .id), occurred_at: instant,
   type: "SurveyAnswered"} as $common
| (if $nps == null then null else
     $common + {event_id: id_of("nps", .t, .id),
       data: {survey_id: ("period-" + .t), kind: "NPS", score: ($nps | tonumber), comment: (.explication | blank)}} end),
  (if $satisfaction == null then null else
     $common + {event_id: id_of("csat", .t, .id),
       data: {survey_id: ("period-" + .t), kind: "CSAT", score: ([1, ($satisfaction | tonumber / 2 | ceil)] | max)}} end)
