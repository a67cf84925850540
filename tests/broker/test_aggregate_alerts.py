"""A KPI that shifts for the worse reaches a webhook: once, whatever dies, in words that can be read without the page. So does a source that falls
silent, and one that is refused."""

import io
import json
import random
import re
import signal
import uuid
from datetime import datetime, timedelta, timezone

import fastavro
import pytest
from confluent_kafka import Producer

from installation import eventually
from test_bad_input import good, moment
from test_collector import collector, post
from test_mission import receivers  # noqa: F401, a fixture

DAYS, LOW_HOURS = 21, 4


def answers_of_weeks(dice):
    """Eight a clock hour; what was 4 and 5 for weeks is 1 to 3 since four hours."""
    for hour in range(DAYS * 24, -1, -1):
        for number in range(8):
            score = dice.choice((1, 2, 3) if hour < LOW_HOURS else (4, 4, 5, 5, 3))
            yield good(customer_id="c-%d" % dice.randrange(900), occurred_at=moment(hours=hour, seconds=1 + dice.randrange(30)), channel="CHAT", product=None, data={
                "survey_id": "s-%d-%d" % (hour, number), "kind": "CSAT", "score": score, "comment": None})


def of_shifts(installation):
    found = {}
    for alert in installation.records("alerts"):
        if alert["kind"] == "TREND_SHIFT":
            found.setdefault((alert["kpi"], alert["dimension"]), []).append(alert)
    return {series: sorted(alerts, key=lambda alert: alert["revision"]) for series, alerts in found.items()}


def news(installation):
    return {series for series, alerts in of_shifts(installation).items() if not alerts[-1]["historical"]}


def test_a_shift_is_told_once(make_installation, receivers):  # noqa: F811
    receiver = receivers()
    receiver.settings["notify.receivers"][0] |= {"rules": ["trend.shift"], "inhibit": False}  # to hear of the channel, too
    installation = make_installation(**receiver.settings, **{"trend.warm_up": "5s"})
    _, kpi, *_ = installation.start_route(("journey", "kpi", "sink", "notify"))
    file = installation.folder / "weeks.ndjson"
    file.write_text("".join(json.dumps(event) + "\n" for event in answers_of_weeks(random.Random(7))))
    installation.succeed("import", file)
    wanted = {("csat", "all"), ("csat", "channel=CHAT")}
    assert eventually(lambda: wanted <= news(installation), 150, 1), (of_shifts(installation), installation.logs())

    told = of_shifts(installation)[("csat", "all")]
    assert (told[-1]["rule"], told[-1]["severity"], told[-1]["state"], told[-1]["customer_id"]) == ("trend.shift", "WARNING", "OPEN", None)
    assert re.fullmatch(r"csat by the (minute|hour), all, has fallen: 4\.\d\d → [123]\.\d\d since \d{4}-\d\d-\d\d \d\d:\d\d UTC", told[-1]["text"]), told
    assert of_shifts(installation)[("csat", "channel=CHAT")][-1]["severity"] == "INFO"
    heard = lambda: [(body["data"]["kpi"], body["data"]["dimension"], body["data"]["state"]) for status, _, body, _ in receiver.got if status == 200]
    assert eventually(lambda: {(kpi, dimension) for kpi, dimension, _ in heard()} >= wanted, 20), (heard(), installation.logs())

    # Killed and read back: nobody is called a second time, and revisions are those of one life.
    before = sorted(heard())
    installation.stop(kpi, signal.SIGKILL)
    installation.start("kpi", name="kpi-again")
    file = installation.folder / "more.ndjson"
    file.write_text("".join(json.dumps(good(customer_id="m-%d" % number, occurred_at=moment(), channel="CHAT", data={
        "survey_id": "m-%d" % number, "kind": "CSAT", "score": 2, "comment": None})) + "\n" for number in range(5)))
    installation.succeed("import", file)
    count = lambda: json.loads(installation.redis.hget(installation.redis_prefix + "kpi:csat:90d", "all") or "{}").get("n")
    assert eventually(lambda: count() == 8 * (DAYS * 24 + 1) + 5, 60), (count(), installation.logs())
    for alerts in of_shifts(installation).values():
        by_id = {}
        for alert in alerts:
            by_id.setdefault(alert["alert_id"], []).append(alert["revision"])
        assert all(revisions == list(range(1, len(revisions) + 1)) for revisions in by_id.values()), alerts
    opened = [one for one in before if one[2] == "OPEN"]
    assert [one for one in sorted(heard()) if one in opened] == opened, (before, heard())  # of another KPI may be told first now


def written(installation, event, at):
    """A record of `touchpoints` as if the collector had taken the event at that time."""
    message = installation.messages("touchpoints")[0]
    record = installation.decode(message.value())
    record |= {"event_id": uuid.uuid4().bytes, "customer_id": event, "source": "till", "occurred_at": at, "received_at": at}
    out = io.BytesIO()
    fastavro.schemaless_writer(out, installation.schemas[int.from_bytes(message.value()[1:5], "big")], record)
    return message.value()[:5] + out.getvalue()


def test_a_source_that_falls_silent_is_told(make_installation, receivers):  # noqa: F811
    receiver = receivers()
    receiver.settings["notify.receivers"][0] |= {"rules": ["data.source_silent"]}
    installation = make_installation(**receiver.settings)
    installation.start_route(("journey", "kpi", "notify"))
    file = installation.folder / "one.ndjson"
    file.write_text(json.dumps(good(occurred_at=moment(days=3))) + "\n")
    installation.succeed("import", file)
    assert eventually(lambda: installation.messages("touchpoints"), 20)
    producer = Producer({"bootstrap.servers": installation.services["KAFKA"], "linger.ms": 5})
    now = datetime.now(timezone.utc)
    for minutes in range(30 * 60, 20, -5):  # every five minutes, day and night; nothing for twenty
        at = now - timedelta(minutes=minutes)
        producer.produce(installation.topic("touchpoints"), key=b"c-1", partition=0, value=written(installation, "c-1", at), timestamp=int(at.timestamp() * 1000))
    assert producer.flush(30) == 0
    heard = lambda: [body["data"] for status, _, body, _ in receiver.got if status == 200]
    assert eventually(heard, 60), installation.logs()
    told = heard()[0]
    assert (told["rule"], told["kind"], told["severity"], told["state"], told["dimension"], told["kpi"]) == \
        ("data.source_silent", "DATA_QUALITY", "WARNING", "OPEN", "source=till", None)
    assert re.fullmatch(r"source=till has sent nothing for 2\d\.\d min", told["text"]), told
    assert told["reasons"][0]["text"] == "its longest pause of the last 3 days was 5.0 min"
    producer.produce(installation.topic("touchpoints"), key=b"c-1", partition=0, value=written(installation, "c-1", datetime.now(timezone.utc)))
    assert producer.flush(30) == 0
    assert eventually(lambda: [one["state"] for one in heard()] == ["OPEN", "RESOLVED"], 60), (heard(), installation.logs())


def test_a_source_that_is_refused_is_told(make_installation, receivers):  # noqa: F811
    """Its webhook fits its mapping no more, say. Who sends well beside it has nothing to do with it."""
    receiver = receivers()
    receiver.settings["notify.receivers"][0] |= {"rules": ["data.rejected"]}
    installation = make_installation(**receiver.settings, **{"ingest.sources": [{"name": "desk", "token": "d" * 20}, {"name": "shop", "token": "s" * 20}]})
    installation.start_route(("journey", "kpi", "sink", "notify"))
    url, _ = collector(installation)
    assert eventually(lambda: post(url, good(event_id="one", source="shop"), token="s" * 20).status_code == 200, 20)
    well = [good(event_id="well-%d" % number, source="desk") for number in range(70)]
    broken = [good(event_id="broken-%d" % number, source="desk", moood="angry") for number in range(30)]
    answer = post(url, well + broken, token="d" * 20).json()
    assert answer["accepted"] == 70 and len(answer["rejected"]) == 30
    heard = lambda: [body["data"] for status, _, body, _ in receiver.got if status == 200]
    assert eventually(heard, 60), installation.logs()
    told = heard()[0]
    assert (told["rule"], told["kind"], told["severity"], told["state"], told["dimension"], told["kpi"]) == \
        ("data.rejected", "DATA_QUALITY", "WARNING", "OPEN", "source=desk", None)
    assert told["text"] == "source=desk: 30 of 100 records refused within 15 min"
    assert told["reasons"][0]["text"] == "the last one as unknown_field: touchpoints.rejected holds them, with reasons"

    # Half of the share it began at is the end of it.
    answer = post(url, [good(event_id="again-%d" % number, source="desk") for number in range(1200)], token="d" * 20)
    assert answer.status_code == 200
    assert eventually(lambda: [one["state"] for one in heard()] == ["OPEN", "RESOLVED"], 60), (heard(), installation.logs())
    assert heard()[1]["text"] == "source=desk is taken again: 30 of 1300 records refused within 15 min"
    assert [record for record in installation.rejected() if record["code"] != "unknown_field"] == []


@pytest.mark.parametrize("processes", [1, 2])
def test_touchpoints_that_are_read_late_are_told(make_installation, receivers, processes):  # noqa: F811
    """The only journey process stands still, or one of two: the other's numbers go on, and lack what the first has not read."""
    receiver = receivers()
    receiver.settings["notify.receivers"][0] |= {"rules": ["data.lag"]}
    installation = make_installation(**receiver.settings, **{"topics.partitions": 2, "data.lag_after": "4s"})
    journeys = [installation.start("journey", name="journey-%d" % number, settings={"engine.instance": str(number)}) for number in range(processes)]
    installation.start_route(("kpi", "notify"))
    # Whoever comes first has both partitions until the other has joined.
    assert eventually(lambda: all("partition recovered" in journey.log.read_text() for journey in journeys), 60), installation.logs()
    spoken = lambda: {record["source_partition"] for record in installation.records("kpi.deltas") if record["kind"] == "CLOCK"}
    installation.succeed("generate", "--events", 300, "--customers", 50, "--seed", 3)
    assert eventually(lambda: spoken() == {0, 1}, 60, 1), installation.logs()
    journeys[-1].send_signal(signal.SIGSTOP)
    heard = lambda: [body["data"] for status, _, body, _ in receiver.got if status == 200]
    try:
        assert eventually(lambda: any(one["state"] == "OPEN" for one in heard()), 30), installation.logs()
    finally:
        journeys[-1].send_signal(signal.SIGCONT)
    told = [one for one in heard() if one["state"] == "OPEN"][-1]
    assert (told["rule"], told["kind"], told["severity"], told["dimension"]) == ("data.lag", "DATA_QUALITY", "WARNING", "all")
    assert re.fullmatch(r"touchpoints are read \d+\.\d s late: KPIs lack what has come since", told["text"]), told
    assert eventually(lambda: heard()[-1]["state"] == "RESOLVED", 60), (heard(), installation.logs())
