# Functions that stand ready in every mapping.

def env: {};
{} as $ENV |

# A record that ends the program would vanish without a word.
def halt: error("a mapping does not halt");
def halt_error: error("a mapping does not halt");
def halt_error($code): error("a mapping does not halt");

# Of the webhook's request, by its name in lower case; null where there is none.
def header($name): input | .[$name];

# "2012/10/09 14:50:17.000", "2017-07-09 21:57:05", "2017-07-09", or ISO 8601 already -> ISO 8601. "2017-07-09 21:57:05+02:00" keeps its
# zone; without one they are UTC. What looks like none of these stays as it is, so that the refusal shows what the file has. null and "" are null.
def ts_zoned: # the time of day, and a zone if it has one
  if .[-4:] == " UTC" then .[:-4] + "Z"
  elif .[-1:] == "Z" or .[-1:] == "z" then .[:-1] + "Z"
  elif .[-6:-5] == "+" or .[-6:-5] == "-" or .[-5:-4] == "+" or .[-5:-4] == "-" or .[-3:-2] == "+" or .[-3:-2] == "-" then sub(" (?=[+-])"; "")
  else . + "Z"
  end;
def ts:
  if . == null or . == "" then null
  elif .[10:11] == "T" or .[4:5] != .[7:8] or (.[4:5] | . != "-" and . != "/" and . != ".") then .
  else .[0:4] + "-" + .[5:7] + "-" + .[8:10] + "T" + (if length > 11 then .[11:] | ts_zoned else "00:00:00Z" end)
  end;

# With a strptime format: "19970101" | ts("%Y%m%d").
def ts($format): if . == null or . == "" then null else strptime($format) | mktime | todate end;

# Seconds or milliseconds since 1970, as number or text.
def ts_epoch: if . == null then null else tonumber | (if . > 100000000000 then . / 1000 else . end) | floor | todate end;

# "129.45" -> 12945: an amount in minor units.
def minor: tonumber * 100 | round;
def minor($digits): tonumber * pow(10; $digits) | round;

# "JPY" -> 0: how many digits of an amount in this currency are minor units (ISO 4217; of an unknown one 2).
def digits:
  if . == null then 2
  elif [.] | inside(["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"]) then 0
  elif [.] | inside(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]) then 3
  elif . == "CLF" or . == "UYW" then 4
  else 2
  end;

# What stands for nothing in many files.
def blank: if . == null or . == "" or . == "NA" or . == "NULL" or . == "null" then null else . end;

# For what must be there before it becomes text: null | tostring is "null", which would be one customer or ticket for all.
def needed($what): if . == null then error($what + " is missing") else . end;

# Parts of an id, any of them a number.
def id_of(parts): [parts | tostring] | join("/");

# A text of bounded length, for fields that have a limit: a character takes up to 4 bytes, so 4000 fit into a text, 64 into a name.
def clip($characters): if . == null then null else .[0:$characters] end;

# "<p>It&#39;s <b>late</b></p>" -> "It's late": tags are blanks, the commonest entities what they stand for. null and nothing are null.
def plain:
  if . == null then null else
    .[0:16000] | gsub("<[^>]*>"; " ") | gsub("&nbsp;"; " ") | gsub("&lt;"; "<") | gsub("&gt;"; ">") | gsub("&quot;"; "\"") | gsub("&([^a-z]39|rsquo|apos);"; "'") | gsub("&amp;"; "&")
    | gsub("\\s+"; " ") | ltrimstr(" ") | rtrimstr(" ") | blank
  end;

# Milliseconds since 1970 -> ISO 8601 with milliseconds.
def ts_ms: (. / 1000 | floor | todate)[:-1] + "." + ("00\(. % 1000)" | .[-3:]) + "Z";
