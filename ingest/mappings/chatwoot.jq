# Chatwoot's webhooks, at POST /v1/hooks/chatwoot. Subscribe to conversation_created, conversation_status_changed, conversation_updated, message_created and
# message_updated (for answers to its satisfaction survey). A source for it (from Chatwoot 4.11.2 on, with the secret shown beside the webhook):
#   {name: chatwoot, secret: …, signature_header: X-Chatwoot-Signature, signed_header: X-Chatwoot-Timestamp, signed_separator: .}
# Before that it signs nothing: give the source a token and let a proxy add it.
#
# A ticket is a conversation. It is OPENED twice: by conversation_created, and by the message it began with (not five seconds younger), which brings the text; the
# second says nothing new to a ticket that is open. What an agent began has the agent. resolved is RESOLVED, open again REOPENED; pending, and snoozed
# until the customer answers, is PENDING; snoozed until a time says nothing. Messages of either side are replies; private notes, what bots say, activities and
# templates (greetings and the like) are passed over. A team is ASSIGNED at first, and HANDED_OFF to later. A priority that becomes urgent is ESCALATED.
#
# The survey that Chatwoot sends when a conversation ends is a SurveySent, its answer a CSAT; each conversation is a survey of its own, and what it is about.
# A customer is the contact's identifier, which is yours, else its e-mail address, else «contact N»; of a conversation without contact «conversation N».
def time: if type == "number" then . * 1000 | floor | ts_ms else ts end;
def seconds: if type == "number" then . else ts | .[0:19] + "Z" | fromdateiso8601 end; # Chatwoot's times are in UTC
def channel:
  {"Channel::Email": "EMAIL", "Channel::Sms": "SMS", "Channel::TwilioSms": "SMS", "Channel::FacebookPage": "SOCIAL", "Channel::TwitterProfile": "SOCIAL",
   "Channel::Instagram": "SOCIAL", "Channel::Whatsapp": "SOCIAL", "Channel::Telegram": "SOCIAL", "Channel::Line": "SOCIAL", "Channel::Tiktok": "SOCIAL",
   "Channel::Voice": "PHONE", "Channel::Api": "WEB"}[. // ""] // "CHAT";
def priority: {low: "LOW", medium: "NORMAL", high: "HIGH", urgent: "URGENT"}[. // "" | tostring];
def name: (.name // .id) | if . == null then null else tostring end;
def contact: .identifier // (.email // "" | ascii_downcase | blank) // (if .id then "contact \(.id)" else null end) | blank;
def is_bot: .type // "user" | . != "user" and . != "contact";
def is_soon($at; $begun): $at != null and $begun != null and ($at | seconds) - ($begun | seconds) <= 5;
def changes: .changed_attributes // {} | if type == "array" then add // {} else . end;

# --- what each event means: steps of the ticket ---

def created:
  (.messages[0] // {}) as $last | (.created_at // .timestamp) as $at
  | [{id: "created", $at, action: "OPENED", priority: (.priority | priority), team: (.meta.team // {} | name),
      agent: (if $last.message_type == 1 and ($last.sender | is_bot | not) and is_soon($last.created_at; $at) then $last.sender // {} | name // "agent" else null end)}];
def status_changed:
  (changes.status.previous_value) as $before | (.updated_at // .timestamp) as $at
  | (if .status == "resolved" then "RESOLVED"
     elif .status == "pending" or (.status == "snoozed" and .snoozed_until == null) then "PENDING"
     elif .status == "open" and $before == "resolved" then "REOPENED"
     elif .status == "open" and $before == null then "OPENED" # older ones do not say: of a ticket that is not open this is a reopen, else nothing
     else null end) as $action
  | if $action == null then [] else [{id: id_of("status", .status, $at), $at, action: $action}] end;
def updated:
  changes as $changes | (.updated_at // .timestamp) as $at
  | [(if $changes | has("team_id") then {id: id_of("team", $changes.team_id.current_value, $at), $at, team: (.meta.team // {id: $changes.team_id.current_value} | name),
        action: (if $changes.team_id.previous_value == null then "ASSIGNED" else "HANDED_OFF" end)} | select(.team != null) else empty end),
     (if $changes | has("assignee_id") then {id: id_of("assignee", $changes.assignee_id.current_value, $at), $at, action: "ASSIGNED",
        agent: (.meta.assignee // {id: $changes.assignee_id.current_value} | name)} | select(.agent != null) else empty end),
     (if $changes.priority.current_value == "urgent" then {id: id_of("priority", $at), $at, action: "ESCALATED", priority: "URGENT"} else empty end)];
def said:
  is_soon(.created_at; .conversation.created_at) as $is_first
  | {id: id_of("message", (.id | needed("id"))), at: .created_at, text: (.content | blank)} as $message
  | if .private == true then []
    elif .message_type == "incoming" then [$message + {action: (if $is_first then "OPENED" else "CUSTOMER_REPLIED" end)}]
    elif .message_type == "outgoing" and (.sender | is_bot | not) then
      [$message + {action: (if $is_first then "OPENED" else "AGENT_REPLIED" end), agent: (.sender // {} | name // "agent")}]
    else [] end;
def survey: # of message_created and message_updated
  .content_attributes.submitted_values.csat_survey_response as $answer | .conversation.id as $conversation
  | if .content_type != "input_csat" then null
    elif $answer.rating == null then {id: id_of("survey", .id), at: .created_at, type: "SurveySent", data: {}}
    else {id: id_of("answer", .id, $answer.rating, ($answer.feedback_message // "" | clip(100))), at: (.updated_at // .conversation.updated_at // .conversation.timestamp // .created_at),
          type: "SurveyAnswered", data: {score: ($answer.rating | tonumber), comment: ($answer.feedback_message | blank | clip(4000))}} end;

(.event // "") as $event | . as $payload
| (if $event | startswith("message_") then .conversation // {} else . end) as $conversation
| ($conversation.id | if . == null then null else tostring end) as $ticket
| (($conversation.meta.sender // $conversation.contact // $payload.contact // (if $payload.message_type == "incoming" then $payload.sender else null end) // {} | contact)
   // "conversation \($ticket)") as $customer
| {source: "chatwoot", channel: ($conversation.channel | channel), customer_id: ($customer | tostring)} as $common
| (if $event == "conversation_created" then created[] elif $event == "conversation_status_changed" then status_changed[]
   elif $event == "conversation_updated" then updated[] elif $event == "message_created" then said[], survey elif $event == "message_updated" then survey else null end)
| if . == null then null
  elif .type then
    $common + {event_id: id_of($ticket, .id), occurred_at: (.at | time), type,
               data: ({survey_id: ("conversation " + ($ticket | needed("conversation.id"))), kind: "CSAT", about: $ticket} + .data)}
  else
    $common + {event_id: id_of($ticket, .id), occurred_at: (.at | time), type: "TicketChanged",
               data: {ticket_id: ($ticket | needed("conversation.id")), action, team, agent, priority, text: (.text | clip(4000))}}
  end
