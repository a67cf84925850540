# Stripe's events, at POST /v1/hooks/stripe. In the dashboard enable customer.subscription.created, .updated, .deleted, .paused and .resumed, invoice.paid,
# checkout.session.completed and checkout.session.async_payment_succeeded; any other says nothing. A source for it:
#   {name: stripe, secret: whsec_…, signature_header: Stripe-Signature}
#
# A subscription STARTED when it was created, or when its first payment came (incomplete -> active); its first term ends with the period, or the
# trial. Each invoice.paid of a new cycle RENEWED it, to the end of the period that was paid for: the first one after a trial, too. It is CANCELLED when it
# is set to end (cancel_at_period_end or cancel_at), not only once it has ended, and STARTED, without a term of its own, when that is taken back.
# It LAPSED when a payment failed (past_due, unpaid), when it is paused, and when it was deleted for want of payment. When the payment came after all it STARTED
# again, told as two seconds earlier: the invoice's RENEWED, which knows the term, is to be the last word. invoice.payment_failed says nothing by itself, for the
# first failure leaves the status incomplete, and any other shows as past_due. Paused collection (pause_collection) leaves a subscription as it is.
#
# A checkout in mode payment is an order once it is paid; the order is the session. A refund or a dispute names a charge, which is no order of ours, and says
# nothing of goods that came back: null.
#
# A customer is metadata.customer_id of the subscription or session, if you put it there, else Stripe's (cus_…; of a checkout without one the e-mail address).
# The product is metadata.product, else Stripe's id of the first item's. Amounts are minor units already; Stripe's are not ISO 4217's for ISK, UGX (hundredths,
# of which there are none) and MGA (whole ones). The events of Stripe's test mode come from an endpoint of their own, with a secret of its own.
def id: if type == "object" then .id else . end; # expanded or not
def time: if . == null then null else . * 1000 | ts_ms end;
def money($currency):
  if . == null then null elif $currency == "ISK" or $currency == "UGX" then . / 100 | round elif $currency == "MGA" then . * 100 else . end;

# --- subscriptions ---

def items: .items.data // [];
def period_end: .current_period_end // ([items[].current_period_end | numbers] | max);
def period_start: .current_period_start // ([items[].current_period_start | numbers] | max);
def term_end: if .status == "trialing" then .trial_end // period_end else period_end end;
def is_set_to_end: .cancel_at_period_end == true or .cancel_at != null;
def standing:
  if .status == "active" or .status == "trialing" then (if is_set_to_end then "ending" else "running" end)
  elif .status == "past_due" or .status == "unpaid" then "unpaid"
  else .status // "unknown" end;
def price: # of a term; null where a price has tiers or goes by what was used
  [items[] | (.price // .plan // {}) as $price | ($price.unit_amount // $price.amount) as $unit | if $unit == null then null else $unit * (.quantity // 1) end]
  | if length == 0 or any(. == null) then null else add end;
def product: .metadata.product // (items[0] | (.price // .plan // {}).product | id) | blank;

# What a subscription told by $event means; $was is how it stood before.
def step($event; $was):
  standing as $now
  | if $event == "created" then (if $now == "running" or $now == "ending" then {action: "STARTED", term: term_end} else null end)
    elif $event == "deleted" then (if .cancellation_details.reason == "payment_failed" then {action: "LAPSED"} else {action: "CANCELLED", term: (.ended_at // .canceled_at)} end)
    elif $event == "paused" then {action: "LAPSED"}
    elif $event == "resumed" then (if $now == "running" or $now == "ending" then {action: "STARTED", is_resumed: true} else null end)
    elif $event != "updated" or $was == $now or $was == "paused" or $now == "paused" then null
    elif $was == "incomplete" then (if $now == "running" or $now == "ending" then {action: "STARTED", term: term_end} else null end)
    elif $now == "ending" then {action: "CANCELLED", term: (.cancel_at // period_end)}
    elif $now == "unpaid" then {action: "LAPSED"}
    elif $now == "running" then {action: "STARTED", seconds_earlier: (if $was == "unpaid" then 2 else 0 end)}
    else null end;
def subscription($event; $before; $at):
  ((. + $before) | standing) as $was | (.currency // "" | ascii_upcase | blank) as $currency
  | step($event; $was) as $step
  | if $step == null then null else
      # Resumed within a period that was paid for: its term is known already, and would be due twice.
      (if $step.is_resumed and (period_start // 0) >= $at - 86400 then term_end else $step.term end) as $term
      | {at: ($at - ($step.seconds_earlier // 0)), customer: (.metadata.customer_id // (.customer | id)), product: product,
         type: "SubscriptionChanged",
         data: ({subscription_id: (.id | needed("data.object.id")), action: $step.action, term_ends_at: ($term | time)}
                + if $step.action == "STARTED" and $term != null then {amount_minor: ((if .status == "trialing" then 0 else price end) | money($currency)), currency: $currency} else {} end)}
    end;

# --- invoices and orders ---

def line_is_proration: .proration == true or .parent.subscription_item_details.proration == true or .parent.invoice_item_details.proration == true;
def renewal($at):
  ((.subscription // .parent.subscription_details.subscription) | id) as $subscription | (.currency // "" | ascii_upcase | blank) as $currency
  | if .billing_reason != "subscription_cycle" then null else
      # Of what was used, the period that is over is paid for: no term.
      ([.lines.data[]? | select(line_is_proration | not) | .period.end | numbers] | max | if . != null and . <= $at then null else . end) as $term
      | ((.parent.subscription_details // .subscription_details // {}).metadata // {}) as $metadata
      | ([.lines.data[]? | select(line_is_proration | not)][0] // {}) as $line
      | {at: $at, customer: ($metadata.customer_id // (.customer | id)),
         product: ($metadata.product // (($line.price // $line.plan // {}).product | id) // $line.pricing.price_details.product | blank),
         type: "SubscriptionChanged",
         data: {subscription_id: ($subscription | needed("data.object.subscription")), action: "RENEWED", term_ends_at: ($term | time),
                amount_minor: (.amount_paid | money($currency)), $currency}}
    end;
def order($at):
  (.currency // "" | ascii_upcase | blank) as $currency
  | if .mode != "payment" or (.payment_status != "paid" and .payment_status != "no_payment_required") then null else
      {at: $at, id: (.id + "/placed"), customer: (.metadata.customer_id // (.customer | id) // (.customer_details.email // .customer_email // "" | ascii_downcase | blank)),
       product: (.metadata.product | blank), type: "OrderPlaced",
       data: {order_id: (.id | needed("data.object.id")), amount_minor: (.amount_total | money($currency)), $currency}}
    end;

if .object != "event" or (.data.object | type) != "object" then null else
  (.type // "") as $type | .id as $id | (.created | needed("created")) as $created | (.data.previous_attributes // {}) as $before
  | (.data.object
     | if $type | startswith("customer.subscription.") then subscription($type | ltrimstr("customer.subscription."); $before; $created)
       elif $type == "invoice.paid" then renewal($created)
       elif $type == "checkout.session.completed" or $type == "checkout.session.async_payment_succeeded" then order($created)
       else null end) as $told
  | if $told == null then null else
      {event_id: ($told.id // $id | needed("id")), source: "stripe", channel: "WEB", occurred_at: ($told.at | time),
       customer_id: ($told.customer | blank | needed("data.object.customer") | tostring), product: ($told.product | if . == null then null else tostring | clip(64) end),
       type: $told.type, data: $told.data}
    end
end
