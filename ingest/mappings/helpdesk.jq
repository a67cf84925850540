# The help-desk log of an Italian software company (Polato 2017): 14 activities of 22 resources on 4,580 tickets.
#
#   touchstream import helpdesk.csv --mapping helpdesk
#
# table: cases $self Case ID
#
# What an activity means for a ticket depends on those before it, so a ticket is told as a whole at its first row, from all its
# rows by time (equal times: by the whole row). A team is a resource.
# - The first activity opens the ticket, whatever it is. «Insert ticket» later says nothing.
# - The log says when a resource acted, not when it was given the ticket: where another resource acts next, the ticket is
#   taken as handed over right after (1 ms) the last act of the one before.
# - «Resolve ticket» and RESOLVED resolve; Closed, VERIFIED, INVALID and DUPLICATE close; any other activity after an end
#   reopens first. «Wait» waits for the customer. Upgrades, anomalies and interventions escalate; a resolved anomaly is a reply.
# - Events of one ticket never share an instant (the later gets 1 ms more), so that their order is the same for everyone.
# - The customer, product and service level of a ticket are those of its first row (7, 2 and 43 tickets change them).
def meaning: {
  "Assign seriousness": "ASSIGNED", "Take in charge ticket": "ASSIGNED", "Wait": "PENDING",
  "Require upgrade": "ESCALATED", "Create SW anomaly": "ESCALATED", "Schedule intervention": "ESCALATED",
  "Resolve SW anomaly": "AGENT_REPLIED", "Resolve ticket": "RESOLVED", "RESOLVED": "RESOLVED",
  "Closed": "CLOSED", "VERIFIED": "CLOSED", "INVALID": "CLOSED", "DUPLICATE": "CLOSED"}[.Activity];
def at_ms: ."Complete Timestamp" | .[0:19] | strptime("%Y/%m/%d %H:%M:%S") | mktime * 1000;
def tell($action; $team; $at): ([$at, .at + 1] | max) as $when | .at = $when | .said += [{$action, $team, at: $when}];

$tables.cases[."Case ID"] as $rows
| if . != $rows[0] then null else
    ($rows | sort_by(."Complete Timestamp", tojson)) as $acts
    | reduce $acts[] as $act ({said: [], at: 0, is_open: null, team: null};
        ($act | meaning) as $meaning | ($act | at_ms) as $at | $act.Resource as $who
        | ($meaning == "RESOLVED" or $meaning == "CLOSED") as $ends
        | if .is_open == null then tell("OPENED"; $who; $at) | .is_open = true | .team = $who | .is_first = true
          else .is_first = false end
        | if .is_open == false and ($ends | not) then tell("REOPENED"; $who; $at) | .is_open = true | .team = $who else . end
        | if .is_open and .team != $who then tell("HANDED_OFF"; $who; .at + 1) | .team = $who else . end
        | if $meaning == null or (.is_first and $meaning == "ASSIGNED") then . else tell($meaning; $who; $at) end
        | if $ends then .is_open = false else . end)
    | .said as $said
    | $acts[0] as $first
    | [range($said | length) | . as $i | $said[$i]
       | {event_id: ($first."Case ID" + "/" + ($i | tostring)), source: "csv:helpdesk", channel: "EMAIL",
          customer_id: ("customer " + $first.customer), product: $first.product, segment: $first.service_level,
          occurred_at: (.at | ts_ms), type: "TicketChanged",
          data: {ticket_id: $first."Case ID", action, team}}]
  end
