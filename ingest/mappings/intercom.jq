# Intercom's notifications, at POST /v1/hooks/intercom. Topics: conversation.user.created, conversation.user.replied, conversation.admin.single.created,
# conversation.admin.replied, conversation.admin.assigned, conversation.admin.closed, conversation.admin.opened, conversation.priority.updated and
# conversation.rating.added; any other says nothing. Intercom signs with SHA-1 and the app's client secret. A source for it:
#   {name: intercom, secret: …, signature_header: X-Hub-Signature, signature_hash: sha1}
#
# A ticket is a conversation. Closed is RESOLVED, for Intercom has no other end. A customer's reply to what was closed opens it again (a part of type open):
# REOPENED with its text. Opened by an admin it is REOPENED with the agent; begun by an admin it is OPENED with the agent. An assignment to an admin is ASSIGNED;
# one to a team is HANDED_OFF if an admin made it, ASSIGNED if a rule or a bot did. What bots say is no reply of ours. A conversation that becomes a priority is
# ESCALATED. A rating is a CSAT of a survey of its own, about the conversation. Notes and snoozing are passed over.
#
# A customer is the contact's external_id (user_id), which is yours, else the e-mail address where Intercom gives one (before API 2.0), else Intercom's id.
def channel:
  {email: "EMAIL", conversation: "CHAT", push: "APP", facebook: "SOCIAL", instagram: "SOCIAL", twitter: "SOCIAL", whatsapp: "SOCIAL", sms: "SMS",
   phone_call: "PHONE", phone_switch: "PHONE"}[. // ""] // "CHAT";
def priority: if . == "priority" then "HIGH" else null end;
def name: (.name // .id) | if . == null then null else tostring end;
def list($of): if type == "object" then .[$of] // [] else . // [] end;
def text: plain | clip(4000);

(.topic // "") as $topic | .id as $id | .created_at as $told_at | .data.item as $item
| if ($topic | startswith("conversation.") | not) or ($item | type) != "object" then null else
    $item
    | (.conversation_parts | list("conversation_parts") | last // {}) as $part
    | ((.contacts | list("contacts") | .[0]) // .user // {}) as $contact
    | (.source // .conversation_message // {}) as $source
    | (if $topic == "conversation.user.created" then {action: "OPENED", priority: (.priority | priority), text: ($source.body | text), at: (.created_at // $told_at)}
       elif $topic == "conversation.admin.single.created" then
         {action: "OPENED", priority: (.priority | priority), agent: ($source.author // {} | name // "admin"), text: ($source.body | text), at: (.created_at // $told_at)}
       elif $topic == "conversation.user.replied" then {action: (if $part.part_type == "open" then "REOPENED" else "CUSTOMER_REPLIED" end), text: ($part.body | text)}
       elif $topic == "conversation.admin.replied" then
         if $part.author.type == "bot" then null else {action: "AGENT_REPLIED", agent: ($part.author // {} | name), text: ($part.body | text)} end
       elif $topic == "conversation.admin.assigned" then
         ($part.assigned_to // {}) as $to
         | if $to.type == "team" then {action: (if $part.author.type == "admin" then "HANDED_OFF" else "ASSIGNED" end), team: ($to | name)} | select(.team != null)
           elif $to.type == "admin" then {action: "ASSIGNED", agent: ($to | name)}
           else null end
       elif $topic == "conversation.admin.closed" then {action: "RESOLVED", agent: ($part.author // {} | name)}
       elif $topic == "conversation.admin.opened" then {action: "REOPENED", agent: ($part.author // {} | name // "admin")}
       elif $topic == "conversation.priority.updated" and .priority == "priority" then {action: "ESCALATED", priority: "HIGH"}
       elif $topic == "conversation.rating.added" then (.conversation_rating // {}) | {score: (.rating | needed("data.item.conversation_rating.rating")), comment: (.remark | blank | clip(4000))}
       else null end) as $step
    | if $step == null then null else
        (.id | needed("data.item.id") | tostring) as $ticket
        | {event_id: ($id | needed("id")), source: "intercom", channel: ($source.type | channel),
           customer_id: (($contact.external_id // $contact.user_id | blank) // ($contact.email // "" | ascii_downcase | blank) // $contact.id // "conversation \($ticket)" | tostring)}
        + if $step | has("score") then
            {occurred_at: ($told_at | ts_epoch), type: "SurveyAnswered", data: ({survey_id: "conversation \($ticket)", kind: "CSAT", about: $ticket} + $step)}
          else
            {occurred_at: ($step.at // $part.created_at // $told_at | ts_epoch), type: "TicketChanged", data: ({ticket_id: $ticket} + ($step | del(.at)))}
          end
      end
  end
