# Typeform's responses, at POST /v1/hooks/typeform: a SurveyAnswered for each kind of score in the form.
#
# What a field asks shows in its ref when that begins with nps, csat, ces or brand; else a field of type nps is NPS, a rating is CSAT,
# an opinion scale is NPS where it asks to recommend and CES where it asks how easy something was. Of several fields of a
# kind the first counts. Scores outside their kind's range are refused, not bent. The comment is the first long text. The customer is the
# hidden field customer_id or email, else an e-mail answered. A hidden field about (or ticket_id) says what the answer is about. A source for it:
#   {name: typeform, secret: …, signature_header: Typeform-Signature}
def kind($field):
  ($field.ref // "" | ascii_downcase) as $ref | ($field.title // "" | ascii_downcase) as $title
  | if $ref | startswith("nps") then "NPS" elif $ref | startswith("csat") then "CSAT"
    elif $ref | startswith("ces") then "CES" elif $ref | startswith("brand") then "BRAND"
    elif $field.type == "nps" then "NPS" elif $field.type == "rating" then "CSAT"
    elif $field.type == "opinion_scale" and ($title | contains("recommend")) then "NPS"
    elif $field.type == "opinion_scale" and ($title | (contains("easy") or contains("effort"))) then "CES"
    else null end;

.event_id as $event_id | .form_response
| if . == null then null else
    . as $response | (.hidden // {}) as $hidden | ([.definition.fields[]? | {key: .id, value: .}] | from_entries) as $fields
    | ($hidden.customer_id // $hidden.email // ([.answers[]? | select(.type == "email") | .email][0]) | blank) as $customer
    | ([.answers[]? | select(.type == "text" and .field.type == "long_text") | .text][0] | blank | clip(4000)) as $comment
    | if $customer == null then error("no customer: the form needs a hidden field customer_id or email, or asks for an e-mail address") else
        [.answers[]? | select(.type == "number") | . + {kind: kind(($fields[.field.id] // {}) + .field)} | select(.kind != null)]
        | group_by(.kind)[] | .[0]
        | {event_id: (($event_id | needed("event_id")) + "/" + .field.id), source: "typeform", channel: "WEB", occurred_at: $response.submitted_at,
           customer_id: ($customer | tostring), type: "SurveyAnswered",
           data: {survey_id: $response.form_id, kind, score: .number, comment: $comment, about: ($hidden.about // $hidden.ticket_id | blank)}}
      end
  end
