# Freshdesk's automation webhooks, at POST /v1/hooks/freshdesk, with the placeholders of its «webhook» action:
# ticket_id, triggered_event (ticket_created, customer_reply_added, agent_reply_added, ticket_status_updated …), and what belongs to it.
#
# Put ticket_requester_email into every one of them: a ticket belongs to one customer, and without the address the ticket itself stands
# for its customer. The event id is made of ticket, event and time, so that a retry is a duplicate.
def source_channel: {email: "EMAIL", phone: "PHONE", chat: "CHAT", portal: "WEB", twitter: "SOCIAL", facebook: "SOCIAL", whatsapp: "SOCIAL"}[(. // "" | ascii_downcase)] // "WEB";
def priority: {low: "LOW", medium: "NORMAL", high: "HIGH", urgent: "URGENT"}[(. // "" | ascii_downcase)];
(.freshdesk_webhook // .)
| (.triggered_event // "") as $event | (.ticket_new_status // "" | ascii_downcase) as $now | (.ticket_old_status // "" | ascii_downcase) as $before
| (.conversation_created_at // .ticket_resolved_at // .ticket_updated_at // .ticket_created_at) as $at
| (if $event == "ticket_created" then {action: "OPENED", text: (.ticket_description // .ticket_subject | blank), priority: (.ticket_priority | priority)}
   elif $event == "customer_reply_added" then {action: "CUSTOMER_REPLIED", text: (.conversation_body | blank)}
   elif $event == "agent_reply_added" then {action: "AGENT_REPLIED", agent: (.conversation_agent | blank), text: (.conversation_body | blank)}
   elif $event == "ticket_assigned" then {action: "ASSIGNED", agent: (.ticket_agent_name | blank)}
   elif $event == "ticket_group_updated" then {action: "HANDED_OFF", team: (.ticket_group_name | blank)}
   elif $event != "ticket_status_updated" then null
   elif $now == "resolved" then {action: "RESOLVED"}
   elif $now == "closed" then {action: "CLOSED"}
   elif $now == "pending" or ($now | startswith("waiting on customer")) then {action: "PENDING"}
   elif $before == "resolved" or $before == "closed" then {action: "REOPENED"}
   else null end) as $step
| if $step == null then null else
    {event_id: id_of(.ticket_id, $event, $now, $at), source: "freshdesk", occurred_at: ($at | ts), channel: (.ticket_source | source_channel),
     customer_id: (.ticket_requester_email // .conversation_requester_email | blank // "ticket" | ascii_downcase),
     type: "TicketChanged", data: ({ticket_id: (.ticket_id | needed("ticket_id") | tostring)} + $step + {text: ($step.text | clip(4000))})}
    | if .customer_id == "ticket" then .customer_id = "ticket " + .data.ticket_id else . end
  end
