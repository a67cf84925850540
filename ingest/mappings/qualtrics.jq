# Responses as exported from Qualtrics as CSV or TSV (Data & Analysis, Export Data), with numeric values, not choice texts.
#
#   touchstream import Customers_2026.csv --mapping qualtrics
#
# The second and third line (the questions, {"ImportId": …}) are passed over; so are previews, tests, spam, and responses that were not finished.
# Times are RecordedDate. Qualtrics exports them in the account's zone and without saying so in the row: they are read as UTC. Set the account's zone to UTC
# before you export, or every answer is off by as much.
#
# A column whose X_NPS_GROUP stands beside it is NPS. Else the name says it, given in the survey's editor: one that begins with nps, csat, ces or brand (nps, CSAT_1,
# ces-support), with a number in it. Of several of a kind the first that was answered counts. Scores outside their kind's range are refused, not bent.
# A column of a kind or question that has text, comment, why, reason, feedback or verbatim in its name (nps_comment, Q1_NPS_why) is the comment; one that
# begins with comment, feedback, verbatim or why goes with the first score. Each kind is a SurveyAnswered; that a survey was sent, no row says.
#
# A customer is ExternalReference, which is yours, else RecipientEmail; an anonymous response is a customer of its own, who will not come back (churn counts it
# as such after 90 days). The survey is the file's name without the time that Qualtrics puts at its end. Embedded data named product, segment, region and about
# (or ticket_id) are taken as such.
def name: ascii_downcase;
# Without regular expressions, which jq reads anew each time: an export has hundreds of columns.
def unless_letter($at; $kind): if .[$at:$at + 1] | . >= "a" and . <= "z" then null else $kind end;
def kind:
  name | if startswith("nps") then unless_letter(3; "NPS") elif startswith("csat") then unless_letter(4; "CSAT")
         elif startswith("ces") then unless_letter(3; "CES") elif startswith("brand") then unless_letter(5; "BRAND") else null end;
def is_comment: name as $name | any("text", "comment", "why", "reason", "feedback", "verbatim"; . as $word | $name | contains($word));
def is_passed_over:
  (.Status // "" | name) as $status
  | ($status | test("preview|test|spam"))
    or ($status | test("^[0-9]+$") and (tonumber | . % 4 >= 1 or (. / 8 | floor) % 2 == 1)) # bits: 1 preview, 2 test, 8 spam
    or (.Finished // "" | name | . == "false" or . == "0") or .DistributionChannel == "preview";
def is_header: (.ResponseId | startswith("{")) or (.RecordedDate // .EndDate | needed("RecordedDate") | test("[0-9]") | not);
def column($row): # of the score: {column, kind, score}
  . as $column | ($row[$column] | blank) as $value
  | (if endswith("_NPS_GROUP") then null elif $row | has($column + "_NPS_GROUP") then kind // "NPS" elif kind == null or is_comment or contains(" - ") then null else kind end) as $kind
  | if $kind == null or $value == null then empty
    elif $value | test("^-?[0-9]+$") then {$column, $kind, score: ($value | tonumber)}
    elif name | test("^(nps|csat|ces|brand)[0-9_-]*$") then error($column + ": no number: export numeric values, not choice texts")
    else empty end;
def comment($score; $row; $is_first):
  ($score.column | name) as $of
  | [$row | keys_unsorted[] | select(is_comment and (contains(" - ") | not) and ($row[.] | blank) != null)
     | select((kind == $score.kind) or (name | startswith($of + "_")) or ($is_first and (name | test("^(comment|feedback|verbatim|why)"))))]
  | if length == 0 then null else $row[.[0]] | clip(4000) end;
def survey: sub("_(January|February|March|April|May|June|July|August|September|October|November|December)[+ _][0-9]{1,2},?[+ _][0-9]{4}_[0-9]{1,2}[.:_][0-9]{2}.*$"; "") | clip(64);
def channel: {email: "EMAIL", sms: "SMS", social: "SOCIAL", app: "APP"}[. // "" | name] // "WEB";

if .ResponseId == null then error("ResponseId is missing: the first line of the file has the names of Qualtrics's columns")
elif is_header or is_passed_over then null else
  . as $row | .ResponseId as $id
  | {source: "csv:qualtrics", channel: (.DistributionChannel | channel), product: (.product | blank), segment: (.segment | blank), region: (.region | blank),
     customer_id: ((.ExternalReference // .ExternalDataReference | blank) // (.RecipientEmail | blank | if . == null then null else ascii_downcase end) // "response " + $id),
     occurred_at: (.RecordedDate // .EndDate | ts), type: "SurveyAnswered"} as $common
  | [[keys_unsorted[] | column($row)] | reduce .[] as $one ([]; if any(.[]; .kind == $one.kind) then . else . + [$one] end) | to_entries[]]
  | .[]
  | .value as $score
  | $common + {event_id: id_of($id, ($score.kind | ascii_downcase)),
               data: {survey_id: ($file | survey), kind: $score.kind, score: $score.score, comment: comment($score; $row; .key == 0), about: ($row.about // $row.ticket_id | blank)}}
end
