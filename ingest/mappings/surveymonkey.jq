# SurveyMonkey's responses, as its API v3 gives them out with their texts: one of GET /surveys/ID/responses/ID/details?simple=true, a page of
# GET /surveys/ID/responses/bulk?simple=true, or an array of either.
#
#   touchstream import responses.json --mapping surveymonkey        or each to POST /v1/hooks/surveymonkey, with the token of a source of that name
#
# SurveyMonkey's own webhook (response_completed) has no answers in it, only the ids to fetch them by: it is refused and says so, and so is what was fetched
# without simple=true, where answers are ids, too.
#
# Completed responses count, previews do not. What a question asks shows in its heading: one about recommending is NPS, about easy or effort CES, about being satisfied
# CSAT; of several of a kind the first that was answered counts. The score of a rating is the choice's weight, of other choices (and always of NPS, whose weights
# are not its scores) the one number in its text: «9», «10 - Extremely likely». A matrix with more than one row answered is passed over. Scores outside their kind's range
# are refused, not bent. The first comment box that was filled in, else the first line of text, is the comment of the first score. Each kind is a SurveyAnswered.
#
# A customer is the custom variable customer_id, which is yours, else the variable email, the recipient's e-mail address or that of the contact; an anonymous response is a
# customer of its own, who will not come back (churn counts it as such after 90 days). Custom variables product, segment, region and about (or ticket_id) are taken as such. Of a
# response that is changed later the first state counts.
def kind:
  (.heading // "" | ascii_downcase) as $heading
  | if .family != "matrix" and .family != "single_choice" then null
    elif $heading | contains("recommend") then "NPS"
    elif $heading | (contains("easy") or contains("effort")) then "CES"
    elif $heading | contains("satisf") then "CSAT"
    else null end;
def number: # the one in a text, which may have its row before it: «Support | 4 - good»
  (. // "" | tostring | split(" | ") | last // "" | [scan("[0-9]+")]) | if length == 1 then .[0] | tonumber else null end;
def score($kind):
  ((.choice_metadata // {}).weight | blank) as $weight
  | if $kind != "NPS" and $weight != null then $weight | tonumber else .simple_text | number end;
def comment($subtypes): [.[] | select(.family == "open_ended" and (.subtype | inside($subtypes))) | .answers[]? | .text | blank | select(. != null)][0];

(if type == "array" then .[] else . end)
| (if (.data | type) == "array" then .data[] else . end)
| if (.event_type // "" | startswith("response_")) then
    error("a webhook of SurveyMonkey has no answers: fetch its response (resources.survey_id, object_id) with /details?simple=true, and send that")
  elif .response_status != "completed" or (.collection_mode // "" | contains("preview")) then null
  else
    . as $response | (.custom_variables // {}) as $variables | [.pages[]?.questions[]?] as $questions
    | (.id | needed("id") | tostring) as $id
    | if ($questions | length) > 0 and all($questions[]; .heading == null) then error("the questions have no heading: fetch the response with simple=true") else
        {source: "surveymonkey", occurred_at: ((.date_modified // .date_created) | ts), channel: (if .recipient_id // "" | . == "" or . == "0" then "WEB" else "EMAIL" end),
         product: ($variables.product | blank), segment: ($variables.segment | blank), region: ($variables.region | blank), type: "SurveyAnswered",
         customer_id: (($variables.customer_id | blank)
                       // ([$variables.email, .email_address, (.metadata.contact.email.value)?] | map(blank | select(. != null) | ascii_downcase)[0]) // "response " + $id | tostring)} as $common
        | ($questions | comment("essay") // comment("single")) as $comment
        | [$questions[] | . + {kind: kind} | select(.kind != null and (.answers // [] | length) == 1) | {kind, score: (.kind as $kind | .answers[0] | score($kind))} | select(.score != null)]
        | reduce .[] as $one ([]; if any(.[]; .kind == $one.kind) then . else . + [$one] end) | to_entries[]
        | $common + {event_id: id_of($id, (.value.kind | ascii_downcase)),
                     data: {survey_id: ($response.survey_id | needed("survey_id") | tostring), kind: .value.kind, score: .value.score,
                            comment: (if .key == 0 then $comment | clip(4000) else null end), about: ($variables.about // $variables.ticket_id | blank)}}
      end
  end
