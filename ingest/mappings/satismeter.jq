# SatisMeter's responses, at POST /v1/hooks/satismeter: a SurveyAnswered for each answer with a metric (nps, csat, ces).
#
# The customer is the user's own id of yours (userId), else the e-mail address, else SatisMeter's id. Responses that are dismissed or
# still pending say nothing yet. The survey is the project; the comment is the free text that came with it.
.response
| if . == null or .dismissed == true or .pending == true then null else
    . as $response
    | ([.user.userId, .user.email, .user.id] | map(blank) | map(select(. != null and . != "No response"))[0]) as $customer
    | [.answers[]? | select(.metric != null and (.value | type) == "number")]
    | group_by(.metric)[] | .[0]
    | {event_id: (($response.id | needed("response.id")) + "/" + .metric), source: "satismeter", occurred_at: $response.created,
       customer_id: ($customer | needed("response.user") | tostring),
       channel: (if $response.method == "Email" then "EMAIL" elif $response.method == "Mobile" then "APP" else "WEB" end),
       region: ($response.location.country | blank), type: "SurveyAnswered",
       data: {survey_id: ($response.project // "satismeter" | tostring), kind: (.metric | ascii_upcase), score: .value,
              comment: ($response.feedback | blank | clip(4000))}}
  end
