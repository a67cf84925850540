#!/usr/bin/env python3
"""Keeps the house in order: who includes whom, third-party homes, long files, stale reference pages.

    tidy.py layers | homes | lengths | guards | codes | citations | metrics [--write] | configuration PROGRAM | asyncapi PROGRAM

Each prints what is wrong, one line a finding, and exits 1 if there was any."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE_FOLDERS = ["base", "schemas", "engine", "ingest", "processors", "sinks", "app"]

# A place may include what is listed after it, and itself. The deepest folder that is named counts.
MAY_INCLUDE = {
    "base": [],
    "schemas": ["base"],
    "engine": ["base"],
    "ingest": ["base", "schemas", "engine"],
    "processors/journey/sentiment": ["base"],
    "processors/kpi/trend": ["base"],
    "processors/journey": ["base", "schemas", "engine", "processors/journey/sentiment"],
    "processors/kpi": ["base", "schemas", "engine", "processors/kpi/trend"],
    "sinks/redis": ["base", "schemas", "engine"],
    "sinks/notify": ["base", "schemas", "engine"],
    "sinks/dashboard": ["base", "schemas", "engine", "sinks/redis"],
    "sinks/top": ["base", "schemas", "engine", "sinks/redis"],
    "app": ["base", "schemas", "engine", "ingest", "processors/journey", "processors/kpi", "processors/journey/sentiment",
            "processors/kpi/trend", "sinks/redis", "sinks/notify", "sinks/dashboard", "sinks/top"],
}

# Header of a library: where it may appear.
HOMES = {
    "librdkafka/": ["engine/kafka/"],
    "avro.h": ["schemas/avro_io.c", "schemas/generator/"],
    "avro/": ["schemas/avro_io.c", "schemas/generator/"],
    "hiredis/": ["sinks/redis/redis_link.c"],
    "microhttpd.h": ["base/http_server"],
    "gnutls/": ["base/http_server"],
    "curl/": ["base/http_client.c"],
    "yaml.h": ["base/settings_file.c"],
    "jq.h": ["ingest/mapping"],
    "jv.h": ["ingest/mapping"],
    "openssl/": ["base/"],
    "ncurses.h": ["sinks/top/"],
    "curses.h": ["sinks/top/"],
}

LINES_MAX = 700
GENERATED = ["schemas/records.h", "schemas/shapes.h"]
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.M)


def sources(endings=(".c", ".h")):
    for folder in SOURCE_FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in endings and "node_modules" not in path.parts:
                yield path.relative_to(ROOT)


def place_of(path):
    text = str(path)
    fitting = [place for place in MAY_INCLUDE if text.startswith(place + "/")]
    return max(fitting, key=len) if fitting else None


def layers():
    for path in sources():
        here = place_of(path)
        for target in INCLUDE.findall((ROOT / path).read_text()):
            there = place_of(target)
            if there and there != here and there not in MAY_INCLUDE[here]:
                yield f"{path}: {here} must not include {target}"


def homes():
    for path in sources():
        for target in INCLUDE.findall((ROOT / path).read_text()):
            for library, allowed in HOMES.items():
                if target.startswith(library) and not any(str(path).startswith(home) for home in allowed):
                    yield f"{path}: <{target}> belongs into {' or '.join(allowed)}"


def lengths():
    for path in sources():
        count = len((ROOT / path).read_text().splitlines())
        if count > LINES_MAX:
            yield f"{path}: {count} lines; more than one idea? (at most {LINES_MAX})"


def guards():
    for path in sources((".h",)):
        text = (ROOT / path).read_text()
        wanted = re.search(r"#ifndef (TS_\w+_H)\n#define \1\n", text)
        if not wanted:
            yield f"{path}: no include guard TS_…_H"
        if not text.lstrip().startswith("/*"):
            yield f"{path}: a header begins with what it is for"


def configuration(program):
    page = ROOT / "docs" / "CONFIGURATION.md"
    made = subprocess.run([program, "settings"], capture_output=True, text=True, check=True).stdout
    if not page.exists() or page.read_text() != made:
        yield "docs/CONFIGURATION.md is stale: touchstream settings > docs/CONFIGURATION.md"


def asyncapi(program):
    page = ROOT / "docs" / "asyncapi.yaml"
    made = subprocess.run([program, "topics", "--asyncapi"], capture_output=True, text=True, check=True).stdout
    if not page.exists() or page.read_text() != made:
        yield "docs/asyncapi.yaml is stale: touchstream topics --asyncapi > docs/asyncapi.yaml"
    for file in re.findall(r"'(\.\./schemas/[^']+)'", made):
        if not (page.parent / file).exists():
            yield f"docs/asyncapi.yaml names {file}, which is not there"


METRIC = re.compile(r'metrics_(counter|gauge|seconds)\(\s*"([^"]+)",\s*(?:[^,"]|"(?:[^"\\]|\\.)*"(?=\s*,))+,\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)')


def metrics_page():
    """Metrics are registered where they are counted; the page is read off those places."""
    rows = {}
    for path in sources((".c",)):
        for kind, name, text in METRIC.findall((ROOT / path).read_text()):
            words = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text))
            rows.setdefault(name, ("histogram" if kind == "seconds" else kind, words, path.parent))
    page = ["# Metrics", "", "At `GET /metrics` of every service, in Prometheus' text format. Made by `tests/tidy/tidy.py metrics --write`.", "",
            "| metric | kind | what it counts | from |", "|---|---|---|---|"]
    page += [f"| `{name}` | {kind} | {text} | `{folder}/` |" for name, (kind, text, folder) in sorted(rows.items())]
    return "\n".join(page) + "\n"


def metrics(*arguments):
    page = ROOT / "docs" / "METRICS.md"
    if arguments == ("--write",):
        page.write_text(metrics_page())
    registrations = sum(len(re.findall(r'metrics_(?:counter|gauge|seconds)\(\s*"', (ROOT / path).read_text())) for path in sources((".c",)))
    found = sum(len(METRIC.findall((ROOT / path).read_text())) for path in sources((".c",)))
    if found != registrations:
        yield f"tidy.py understands {found} of {registrations} registrations of metrics"
    if not page.exists() or page.read_text() != metrics_page():
        yield "docs/METRICS.md is stale: tests/tidy/tidy.py metrics --write"


REFUSAL = re.compile(r'\b(?:accept_fault|form_note|form_read_symbol|broken|say_why|row_fault)\((?:[^";]*?,\s*)?"([a-z0-9_]+)"\s*,')


def codes():
    """Why a record was rejected: what the sources say, what `replay --code` takes and what the page explains are the same words."""
    said = {code for path in sources((".c",)) for code in REFUSAL.findall((ROOT / path).read_text())}
    taken = set(re.findall(r'"(\w+)"', re.search(r"codes\[\] = \{(.*?)\};", (ROOT / "ingest/replay.c").read_text(), re.S)[1]))
    table = re.search(r"\| code \| \|\n\|---\|---\|\n((?:\|.*\n)+)", (ROOT / "docs/INGEST.md").read_text())[1]
    explained = {code for line in table.splitlines() for code in line.split("|")[1].replace(",", " ").split()}
    for code in sorted(said - taken):
        yield f"{code} is a reason to reject, but `replay --code` (ingest/replay.c) does not take it"
    for code in sorted(taken ^ explained):
        yield f"{code} is in one of ingest/replay.c and docs/INGEST.md, and not in the other"
    if len(said) < len(taken) // 2:
        yield f"tidy.py finds only {len(said)} of {len(taken)} codes in the sources"


SOMEWHERE = re.compile(r"\b((?:app|base|deploy|docs|engine|ingest|processors|schemas|sinks|tests)/[\w./-]+\.(?:c|h|py|md|jq|js|yaml|avsc))\b")
READING = re.compile(r"READINGS ((?:\d+(?:[–-]\d+)?(?:, | and )?)+)")


def citations():
    """What comments and pages point to is there: files of the tree, and the numbers of docs/READINGS.md."""
    settled = {int(number) for number in re.findall(r"^\*\*(\d+)\*\*", (ROOT / "docs" / "READINGS.md").read_text(), re.M)}
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for name in tracked:
        if not name.endswith((".c", ".h", ".py", ".md")):
            continue
        text = (ROOT / name).read_text()
        for path in sorted(set(SOMEWHERE.findall(text))):
            if path not in GENERATED and not (ROOT / path).exists():
                yield f"{name} names {path}, which is not there"
        for numbers in READING.findall(text):
            for first, last in re.findall(r"(\d+)(?:[–-](\d+))?", numbers):
                for number in range(int(first), int(last or first) + 1):
                    if number not in settled:
                        yield f"{name} cites READINGS {number}, which docs/READINGS.md does not have"


def main():
    checks = {"citations": citations, "codes": codes, "asyncapi": asyncapi, "metrics": metrics, "layers": layers, "homes": homes, "lengths": lengths, "guards": guards, "configuration": configuration}
    findings = list(checks[sys.argv[1]](*sys.argv[2:]))
    for finding in findings:
        print(finding)
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
