# A manual page from `touchstream --help`: what it is, its usage, its commands.
function escape(text) { gsub(/\\/, "\\\\", text); gsub(/-/, "\\-", text); return text }
NR == 1 {
    about = $0
    sub(/^[^:]*: /, "", about)
    print ".TH TOUCHSTREAM 1 \"\" \"touchstream " substr($2, 1, length($2) - 1) "\""
    print ".SH NAME\ntouchstream \\- " escape(about)
}
/^usage: / { sub(/^usage: /, ""); print ".SH SYNOPSIS\n" escape($0) "\n.SH COMMANDS" }
/^  [a-z]/ { name = $1; sub(/^  [a-z]+ +/, ""); print ".TP\n.B " name "\n" escape($0) }
END {
    print ".PP\n.B touchstream COMMAND \\-\\-help\nsays more of each."
    print ".SH FILES\n.TP\n.I /etc/touchstream/touchstream.yaml\nthe configuration; \\fBtouchstream settings\\fR prints every key"
    print ".TP\n.I /etc/touchstream/secrets.env\nsecrets for the services, as TOUCHSTREAM_\\(el variables; for root alone"
    print ".TP\n.I /usr/share/doc/touchstream\nwhat each number means, what holds through which faults, how alerts reach whom"
}
