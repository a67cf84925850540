# Zendesk's event webhooks (zen:event-type:ticket.*), at POST /v1/hooks/zendesk.
#
# A customer is the ticket's requester; where an event does not name one, the ticket stands for it. Private comments and events that say
# nothing about a ticket's course are passed over. A source for it:
#   {name: zendesk, secret: …, signature_header: X-Zendesk-Webhook-Signature, signed_header: X-Zendesk-Webhook-Signature-Timestamp}
def channel:
  {email: "EMAIL", mail: "EMAIL", web: "WEB", api: "WEB", help_center: "WEB", chat: "CHAT", native_messaging: "CHAT", voice: "PHONE",
   phone: "PHONE", sms: "SMS", twitter: "SOCIAL", facebook: "SOCIAL", instagram_dm: "SOCIAL", whatsapp: "SOCIAL", mobile: "APP",
   mobile_sdk: "APP"}[(. // "" | tostring | ascii_downcase)] // "WEB";
def priority: {low: "LOW", normal: "NORMAL", high: "HIGH", urgent: "URGENT"}[(. // "" | tostring | ascii_downcase)];
def word: if type == "object" then (.status // .name // .id // "") else (. // "") end | tostring | ascii_downcase;
def name: if type == "object" then (.name // .id) else . end | if . == null then null else tostring end;
def step($action): {action: $action};

(.type // "" | ltrimstr("zen:event-type:")) as $type | (.event // {}) as $event | (.detail // {}) as $ticket
| ($event.current | word) as $now | ($event.previous | word) as $before
| (if $type == "ticket.created" then
     step("OPENED") + {text: ($ticket.description // $ticket.subject | blank), team: ($ticket.group_id | name), priority: ($ticket.priority | priority)}
   elif $type == "ticket.status_changed" then
     if $now == "solved" then step("RESOLVED")
     elif $now == "closed" then step("CLOSED")
     elif $now == "pending" or $now == "hold" then step("PENDING")
     elif $before == "solved" or $before == "closed" then step("REOPENED")
     else null end
   elif $type == "ticket.comment_added" then
     if $event.comment.is_public == false then null
     else step(if $event.comment.author.is_staff then "AGENT_REPLIED" else "CUSTOMER_REPLIED" end) + {text: ($event.comment.body | blank)} end
   elif $type == "ticket.group_assignment_changed" then
     if ($event.current | word) == "" then null
     else step(if ($event | has("previous")) and $before == "" then "ASSIGNED" else "HANDED_OFF" end) + {team: ($event.current | name)} end
   elif $type == "ticket.agent_assignment_changed" then step("ASSIGNED") + {agent: ($event.current | name)}
   elif $type == "ticket.priority_changed" and $now == "urgent" then step("ESCALATED") + {priority: "URGENT"}
   else null end) as $step
| if $step == null then null else
    {event_id: .id, source: "zendesk", occurred_at: .time, channel: ($ticket.via.channel | channel),
     customer_id: ($ticket.requester_id | blank // ("ticket " + ($ticket.id | needed("detail.id") | tostring)) | tostring), type: "TicketChanged",
     data: ({ticket_id: ($ticket.id | needed("detail.id") | tostring)} + $step + {text: ($step.text | clip(4000))})}
  end
