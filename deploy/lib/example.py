#!/usr/bin/env python3
"""Writes deploy/touchstream.yaml from the program's own reference page:
    deploy/lib/example.py build/release/app/touchstream > deploy/touchstream.yaml"""

import re
import subprocess
import sys
import textwrap

# What an installation sets; the rest stays a comment.
SET = ("kafka.brokers", "registry.url", "redis.address")
# What shows best by an example.
EXAMPLES = {"notify.receivers": """\
  # A channel that is not flooded, who is on call, who leads them when nobody acts, and a program. Try them: touchstream notify --test
  #   receivers:
  #     - {name: channel, form: slack, url: "https://hooks.slack.com/services/…", severity: warning, group_by: [rule, kpi], daily_max: 50,
  #        digest_at: "08:00", time_zone: Europe/Berlin}
  #     - {name: on-call, form: pagerduty, url: "https://events.pagerduty.com/v2/enqueue", secret: the routing key, severity: critical}
  #     - {name: team-lead, form: slack, url: "https://hooks.slack.com/services/…", after: {critical: 15m, warning: 2h}, repeat_interval: 4h}
  #     - {name: crm, url: "https://crm.example.com/hooks/touchstream", secret: some text, rules: [case]}"""}
HEAD = """\
# touchstream: an example configuration. What is commented out shows its default; docs/CONFIGURATION.md is the same as a table.
# Any scalar can come from the environment instead: kafka.sasl_password from TOUCHSTREAM_KAFKA_SASL_PASSWORD, and secrets should.
# Made by deploy/lib/example.py from the program's own settings. Try a file: touchstream check --config FILE
"""


def rows(program):
    page = subprocess.run([program, "settings"], capture_output=True, text=True, check=True).stdout
    for line in page.splitlines():
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 4 and cells[0].startswith("`"):
            yield cells[0].strip("`"), cells[1], cells[2].strip("`"), cells[3]


def quoted(value, kind):
    if kind == "mapping":
        return value or "{}"
    if kind == "list":
        return "[%s]" % value
    return '"%s"' % value if value == "" or value.endswith(":") or value[0] in "{}[]&*#?|-<>=!%@`" else value


def main():
    print(HEAD)
    section = None
    for key, kind, default, about in rows(sys.argv[1]):
        head, _, rest = key.partition(".")
        if head != section:
            section = head
            print("%s:" % head if any(name.startswith(head + ".") for name in SET) else "#%s:" % head)
        text = about + ("" if kind in ("text",) else " (%s)" % kind)
        for line in textwrap.wrap(text, 110):
            print("  # " + line)
        if key in EXAMPLES:
            print(EXAMPLES[key])
        print(("  %s: %s" if key in SET else "  #%s: %s") % (rest, quoted(default, kind)))


main()
