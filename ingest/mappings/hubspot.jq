# HubSpot's tickets and NPS answers, as its CRM API v3 gives out objects: one, a page ({"results": …}) of GET /crm/v3/objects/… or of a search, or an array of either.
#
#   /crm/v3/objects/tickets?associations=contacts&properties=subject,content,createdate,closed_date,first_agent_reply_date,hs_ticket_reopened_at,hs_pipeline_stage,hs_ticket_priority,source_type
#   /crm/v3/objects/feedback_submissions?associations=contacts&properties=hs_survey_id,hs_survey_type,hs_survey_channel,hs_value,hs_content,hs_submission_timestamp,hs_contact_id,hs_ticket_id
#   touchstream import tickets.json --mapping hubspot               or each to POST /v1/hooks/hubspot, with the token of a source of that name
#
# A subscription's webhook names no contact and no text, only the object's id: it is refused and says so. Fetch the object then.
#
# A ticket is OPENED at its createdate, with its text; AGENT_REPLIED at first_agent_reply_date (later replies are no properties of a ticket, and missing); RESOLVED
# at closed_date, for HubSpot has no other end; REOPENED at hs_ticket_reopened_at. The same object sent again changes nothing, one that was changed tells the rest. What becomes of a ticket
# between two times that it is fetched is not told: fetch what has changed often (hs_lastmodifieddate), or a first reply or an end is seen late, though dated rightly.
#
# Of feedback NPS alone counts. What a satisfaction survey gives as hs_value is 0 to 2 in one form and 1 to 5 in another, without saying which, so answers of CSAT and CES are
# refused: where you know the scale of yours, take them by a mapping of your own. Custom surveys say nothing.
#
# A customer is the property customer_id, if you give tickets and answers one (and ask for it), else «contact N», N being HubSpot's id of the first contact, else the ticket
# or answer itself. Archived objects are passed over.
def customer($what):
  (.properties.customer_id | blank) // ((.associations.contacts.results[0].id // .properties.hs_contact_id | blank) | if . == null then null else "contact \(.)" end)
  // "\($what) \(.id)" | tostring;
def channel: {EMAIL: "EMAIL", CHAT: "CHAT", PHONE: "PHONE", FORM: "WEB"}[. // "" | ascii_upcase] // "WEB";
def priority: {LOW: "LOW", MEDIUM: "NORMAL", HIGH: "HIGH", URGENT: "URGENT"}[. // "" | ascii_upcase];
def steps: # of a ticket's properties
  {id: "opened", at: .createdate, action: "OPENED", priority: (.hs_ticket_priority | priority), text: ((.content | blank) // .subject | plain | clip(4000))},
  ({action: "AGENT_REPLIED", at: .first_agent_reply_date}, {action: "RESOLVED", at: .closed_date}, {action: "REOPENED", at: .hs_ticket_reopened_at}
   | .at |= blank | select(.at != null) | {id: id_of((.action | ascii_downcase), .at), at, action});

(if type == "array" then .[] else . end)
| (if (.results | type) == "array" then .results[] else . end)
| if has("subscriptionType") then error("a webhook of HubSpot has neither contact nor text: fetch the object (objectId), and send that")
  elif .archived == true then null
  else
    . as $object | (.properties // {}) as $properties
    | if $properties | has("hs_survey_type") then
        ($properties.hs_survey_type // "" | ascii_upcase) as $kind
        | if $kind == "CSAT" or $kind == "CES" then error("answers of \($kind) have no scale that can be told: write a mapping of your own for them, or leave them out")
          elif $kind != "NPS" then null
          else
            {event_id: id_of("feedback", ($object.id | needed("id"))), source: "hubspot", occurred_at: ($properties.hs_submission_timestamp // $object.createdAt | ts),
             channel: (if $properties.hs_survey_channel // "" | ascii_upcase == "EMAIL" then "EMAIL" else "WEB" end), customer_id: ($object | customer("answer")), type: "SurveyAnswered",
             data: {survey_id: ($properties.hs_survey_id | needed("properties.hs_survey_id") | tostring), kind: "NPS",
                    score: ($properties.hs_value | blank | needed("properties.hs_value") | tonumber), comment: ($properties.hs_content | blank | clip(4000)),
                    about: ($properties.hs_ticket_id | blank)}}
          end
      elif $properties | has("hs_pipeline_stage") then
        ($object.id | needed("id") | tostring) as $id
        | $properties + {createdate: ($properties.createdate // $object.createdAt)} | steps
        | {event_id: id_of("ticket", $id, .id), source: "hubspot", occurred_at: (.at | ts), channel: ($properties.source_type | channel), customer_id: ($object | customer("ticket")),
           type: "TicketChanged", data: {ticket_id: $id, action, priority, text}}
      else null end
  end
