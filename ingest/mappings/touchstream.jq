# Functions that stand ready in every mapping.

def env: {};
{} as $ENV |

# A record that ends the program would vanish without a word.
def halt: error("a mapping does not halt");
def halt_error: error("a mapping does not halt");
def halt_error($code): error("a mapping does not halt");

# Of the webhook's request, by its name in lower case; null where there is none.
def header($name): input | .[$name];

# "2012/10/09 14:50:17.000", "2017-07-09 21:57:05", "2017-07-09", or ISO 8601 already -> ISO 8601; local times are taken as UTC.
# null and "" stay null.
def ts:
  if . == null or . == "" then null
  elif .[10:11] == "T" then .
  else
    .[0:4] + "-" + .[5:7] + "-" + .[8:10] + "T" + (if length > 11 then .[11:] else "00:00:00" end) + "Z"
  end;

# With a strptime format: "19970101" | ts("%Y%m%d").
def ts($format): if . == null or . == "" then null else strptime($format) | mktime | todate end;

# Seconds or milliseconds since 1970, as number or text.
def ts_epoch: if . == null then null else tonumber | (if . > 100000000000 then . / 1000 else . end) | floor | todate end;

# "129.45" -> 12945: an amount in minor units.
def minor: tonumber * 100 | round;
def minor($digits): tonumber * pow(10; $digits) | round;

# What stands for nothing in many files.
def blank: if . == null or . == "" or . == "NA" or . == "NULL" or . == "null" then null else . end;

# For what must be there before it becomes text: null | tostring is "null", which would be one customer or ticket for all.
def needed($what): if . == null then error($what + " is missing") else . end;

# Parts of an id, any of them a number.
def id_of(parts): [parts | tostring] | join("/");

# A text of bounded length, for fields that have a limit: a character takes up to 4 bytes, so 4000 fit into a text, 64 into a name.
def clip($characters): if . == null then null else .[0:$characters] end;

# Milliseconds since 1970 -> ISO 8601 with milliseconds.
def ts_ms: (. / 1000 | floor | todate)[:-1] + "." + ("00\(. % 1000)" | .[-3:]) + "Z";
