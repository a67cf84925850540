# A row of the help-desk log, told by itself, so that the rows of a ticket can arrive in any order (the shipped mapping tells
# a ticket whole). Taking a ticket in charge is a hand-off to that resource; where it was theirs already, the contract
# says to ignore it.
{"Assign seriousness": "OPENED", "Insert ticket": "OPENED", "Take in charge ticket": "HANDED_OFF", "Wait": "PENDING",
 "Require upgrade": "ESCALATED", "Create SW anomaly": "ESCALATED", "Schedule intervention": "ASSIGNED",
 "Resolve ticket": "RESOLVED", "Resolve SW anomaly": "AGENT_REPLIED", "Closed": "CLOSED"} as $actions
| $actions[.Activity] as $action
| if $action == null then empty else
  {event_id: ([."Case ID", .Activity, .Resource, ."Complete Timestamp"] | join("/")), source: "csv:helpdesk", channel: "PHONE",
   product: .product, segment: .service_level, customer_id: .customer, attributes: {topic: .product},
   occurred_at: (."Complete Timestamp" | gsub("/"; "-") | sub(" "; "T") + "Z"), type: "TicketChanged",
   data: {ticket_id: ."Case ID", action: $action, team: .Resource, agent: (if $action == "OPENED" then null else .Resource end),
          priority: null, text: null}}
  end
