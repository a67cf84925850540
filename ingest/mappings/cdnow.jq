# CDNOW's purchases: lines of master id, customer, day, number of CDs, dollars.
#
#   touchstream import CDNOW_sample.txt --mapping cdnow --rebase now
#
# The set is of 1997 and 1998, which the contract refuses as too old: it needs --rebase. Only the day is known: noon is taken.
# A customer may buy twice a day for the same amount, so an order is told apart by its line.
(.number | tostring) as $line | .line
| capture("^ *(?<master>[0-9]+) +(?<customer>[0-9]+) +(?<day>[0-9]{8}) +(?<count>[0-9]+) +(?<dollars>[0-9.]+) *$")
| (.day[0:4] + "-" + .day[4:6] + "-" + .day[6:8]) as $day
| {event_id: ("line " + $line), source: "csv:cdnow", channel: "WEB", product: "music", customer_id: .customer,
   occurred_at: ($day + "T12:00:00Z"), type: "OrderPlaced",
   data: {order_id: ("order " + $line), amount_minor: (.dollars | minor), currency: "USD"}}
