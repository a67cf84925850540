"""Files to touchpoints: what the shipped mappings make of the real sets, against figures known of those sets from elsewhere."""

import csv
import statistics
from collections import Counter

import datasets
from oracle import event_from_avro

DAY = 86_400_000


def imported(installation, files, mapping, *options):
    done = installation.succeed("import", *files, "--mapping", mapping, *options)
    events = [event_from_avro(record) for record in installation.records("touchpoints")]
    return done, events


def test_olist_figures(installation, data, tmp_path):
    """4,119 orders of 4,087 people; of 2,603 delivered, 204 late; 4,160 reviews."""
    done, events = imported(installation, datasets.olist(data, tmp_path), "olist")
    kinds = Counter(event["type"] for event in events)
    assert kinds == {"OrderPlaced": 4119, "OrderDelivered": 2603, "ReviewPosted": 4160}
    late = [event for event in events if event["type"] == "OrderDelivered" and event["occurred_at"] > event["data"]["promised_at"]]
    assert len(late) == 204
    assert len({event["customer_id"] for event in events}) == 4087
    assert len({event["event_id"] for event in events}) == len(events)
    for figure in (len(events), 0):
        assert str(figure) in done.stdout + done.stderr


def test_helpdesk_figures(installation, data, tmp_path):
    """4,580 tickets, 8,648 changes of resource; median time from first to last event 39.859 days."""
    _, events = imported(installation, datasets.helpdesk(data, tmp_path), "helpdesk")
    actions = Counter(event["data"]["action"] for event in events)
    assert actions["OPENED"] == 4580
    changes, while_open = changes_of_resource(data)
    assert changes == 8648 and actions["HANDED_OFF"] == while_open
    life = {}
    for event in events:
        first, last = life.get(event["data"]["ticket_id"], (event["occurred_at"],) * 2)
        life[event["data"]["ticket_id"]] = min(first, event["occurred_at"]), max(last, event["occurred_at"])
    spans = [(last - first) / DAY for first, last in life.values()]
    assert round(statistics.median(spans), 3) == 39.859 and round(statistics.mean(spans), 2) == 40.86


def test_a_row_that_a_mapping_does_not_come_to_an_end_with(make_installation, tmp_path):
    """It is rejected and named in the log; those around it are taken."""
    installation = make_installation(**{"ingest.mapping_time": "500ms"})
    (tmp_path / "endless.jq").write_text("""
        def until_the_end_of_time: until_the_end_of_time;
        if .id == "3" then until_the_end_of_time else
        {event_id: ("row-" + .id), customer_id: "c", occurred_at: "2026-01-01T00:00:00Z", channel: "APP", type: "ProductUsed",
         data: {feature: "f", seconds: 1}} end""")
    (tmp_path / "rows.csv").write_text("id,name\n" + "".join("%d,name-%d\n" % (i, i) for i in range(6)))
    done = installation.run("import", tmp_path / "rows.csv", "--mapping", tmp_path / "endless.jq", "--source", "here", timeout=60)
    assert done.returncode == 1, done.stderr
    assert "5 accepted" in done.stdout + done.stderr or "accepted 5" in done.stdout + done.stderr
    assert len(installation.records("touchpoints")) == 5
    rejected, = installation.rejected()
    assert rejected["code"] == "bad_mapping" and "within 0.5 s" in rejected["reason"] and rejected["payload"] == b"3,name-3"
    said, = [line for line in done.stderr.splitlines() if "a mapping is stopped" in line]
    assert "endless.jq" in said and "rows" in said and "3,name-3" in said and "level=error" in said


def changes_of_resource(data):
    """All of them, and those while the ticket was neither resolved nor closed: a hand-off is one of an open ticket."""
    with open(data / "helpdesk_polato/helpdesk.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    tickets = {}
    for row in sorted(rows, key=lambda row: row["Complete Timestamp"]):  # ties in file order
        tickets.setdefault(row["Case ID"], []).append(row)
    ends = {"Resolve ticket", "RESOLVED", "Closed", "VERIFIED", "INVALID", "DUPLICATE"}
    pairs = [pair for rows in tickets.values() for pair in zip(rows, rows[1:]) if pair[0]["Resource"] != pair[1]["Resource"]]
    return len(pairs), sum(before["Activity"] not in ends for before, _ in pairs)


def test_rebase_moves_all_times_alike(make_installation, data, tmp_path):
    import time
    files = datasets.helpdesk(data, tmp_path)
    _, plain = imported(make_installation(), files, "helpdesk")
    began = time.time()
    _, moved = imported(make_installation(), files, "helpdesk", "--rebase", "now")
    plain, moved = ({event["event_id"]: event["occurred_at"] for event in events} for events in (plain, moved))
    assert plain.keys() == moved.keys()
    assert len({moved[id] - plain[id] for id in plain}) == 1
    assert began - 1 <= max(moved.values()) / 1000 <= time.time() + 1


def test_importing_again_makes_no_new_ids(installation, data, tmp_path):
    """A retry is a duplicate because ids come from the source's own [READINGS 1]."""
    files = datasets.olist(data, tmp_path)
    _, once = imported(installation, files, "olist")
    _, twice = imported(installation, files, "olist")
    assert len(twice) in (len(once), 2 * len(once))
    assert {event["event_id"] for event in twice} == {event["event_id"] for event in once}
