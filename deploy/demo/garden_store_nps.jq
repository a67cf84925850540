# One row of garden_store_nps.csv: an NPS answer with its comment, and a CSAT answer where satisfaction was given (0-10 there;
# halved and rounded up to our 1-5). The set has no times: see NOTICE.md.
def iso: strftime("%Y-%m-%dT%H:%M:%SZ");
(1735689600 + (.period | tonumber) * 432000 + ((.id | tonumber) * 7919 % 432000)) as $at
| {source: "demo:garden-store", channel: "EMAIL", product: null, segment: "store", occurred_at: ($at | iso),
   customer_id: ("store-" + .id), type: "SurveyAnswered"} as $common
| ($common + {event_id: ("nps-" + .id),
     data: {survey_id: ("period-" + .period), kind: "NPS", score: (.nps | tonumber),
            comment: (if .comment == "" then null else .comment end), about: null}}),
  (if .satisfaction == "" then empty else
     $common + {event_id: ("csat-" + .id),
       data: {survey_id: ("period-" + .period), kind: "CSAT", score: ([1, ((.satisfaction | tonumber) / 2 | ceil)] | max),
              comment: null, about: null}}
   end)
