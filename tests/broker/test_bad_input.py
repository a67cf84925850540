"""A bad input costs its sender a clear error, and nobody else anything."""

import io
import json
import re
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

import uuid
from datetime import datetime, timedelta, timezone

import fastavro
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.schema_registry import Schema
from installation import eventually, free_port, tail


def moment(**ago):
    return (datetime.now(timezone.utc) - timedelta(**ago)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def good(**changes):
    event = {"event_id": str(uuid.uuid4()), "customer_id": "c-42", "occurred_at": moment(minutes=1), "source": "shop",
             "channel": "EMAIL", "product": None, "segment": "smb", "attributes": {}, "type": "SurveyAnswered",
             "data": {"survey_id": "s1", "kind": "NPS", "score": 3, "comment": "meh"}}
    event.update(changes)
    return event


def nps(score):
    return {"survey_id": "s1", "kind": "NPS", "score": score}


def import_lines(installation, *lines):
    """Imports these lines (text, bytes or objects) between two good ones; the result, and the records added to both topics."""
    file = installation.folder / ("%s.ndjson" % uuid.uuid4().hex)
    lines = [good(), *lines, good()]
    file.write_bytes(b"".join((line if isinstance(line, bytes) else (line if isinstance(line, str) else json.dumps(line)).encode()) + b"\n"
                              for line in lines))
    before = {topic: len(installation.messages(topic)) for topic in ("touchpoints", "touchpoints.rejected")}
    done = installation.run("import", file)
    accepted = len(installation.messages("touchpoints")) - before["touchpoints"]
    return done, accepted, installation.rejected()[before["touchpoints.rejected"]:]


REJECTED = [
    ("unknown field", good(colour="red"), "unknown_field", "colour"),
    ("unknown field in data", good(data={**nps(3), "mood": 1}), "unknown_field", "data.mood"),
    ("unknown type", good(type="SurveyShredded"), "unknown_type", "type"),
    ("unknown symbol", good(channel="PIGEON"), "unknown_symbol", "channel"),
    ("wrong type", good(data=nps("three")), "wrong_type", "data.score"),
    ("missing field", good(data={"survey_id": "s1", "kind": "NPS"}), "missing_field", "data.score"),
    ("score out of range", good(data=nps(11)), "out_of_range", "data.score"),
    ("empty customer", good(customer_id=""), "empty", "customer_id"),
    ("a NUL in a customer", good(customer_id="a\0b"), "out_of_range", "customer_id"),
    ("a NUL in a friend", good(type="ReferralMade", data={"referred_customer_id": "a\0", "converted": True}), "out_of_range", "data.referred_customer_id"),
    ("future time", good(occurred_at=moment(minutes=-24 * 60)), "future", "occurred_at"),  # ahead also when other tests took their time first
    ("time before 2000", good(occurred_at="1999-12-31T23:59:59.000Z"), "too_old", "occurred_at"),
    ("a time that is none", good(occurred_at="yesterday"), "bad_time", "occurred_at"),
    ("broken UTF-8", json.dumps(good()).encode().replace(b"c-42", b"c-\xff42"), "bad_utf8", None),
    ("lone surrogate", json.dumps(good()).replace("c-42", "c-\\ud800"), None, None),
    ("not JSON", '{"event_id": ', "bad_json", None),
    ("a bare number", "17", "bad_json", None),
    ("10 MB line", json.dumps(good(data={**nps(1), "comment": "x" * 10_000_000})), "too_large", None),
    ("comment over 16 KiB", good(data={**nps(1), "comment": "x" * 16_385}), "too_large", "data.comment"),
]


@pytest.mark.parametrize("line,code,path", [row[1:] for row in REJECTED], ids=[row[0] for row in REJECTED])
def test_rejected(shared_installation, line, code, path):
    done, accepted, rejected = import_lines(shared_installation, line)
    assert done.returncode == 1, done.stderr
    assert len(rejected) == 1 and accepted == 2
    record = rejected[0]
    if code:
        assert record["code"] == code
    if path:
        assert record["path"].lstrip("/$.").replace("/", ".") == path
    assert record["reason"] and "1" in done.stdout + done.stderr
    raw = line if isinstance(line, bytes) else (line if isinstance(line, str) else json.dumps(line)).encode()
    assert bytes(record["payload"]) == raw[:1 << 20]


def test_empty_file(installation):
    file = installation.folder / "empty.ndjson"
    file.write_bytes(b"")
    done = installation.run("import", file)
    assert done.returncode == 0 and "0" in done.stdout + done.stderr
    assert not installation.records("touchpoints") and not installation.records("touchpoints.rejected")


def test_a_file_that_is_not_there(installation):
    done = installation.run("import", "no-such-file.ndjson")
    assert done.returncode in (1, 2) and "no-such-file.ndjson" in done.stderr


def test_csv_with_a_missing_column(installation):
    file, mapping = installation.folder / "answers.csv", installation.folder / "answers.jq"
    file.write_text("id,customer\na1,c1\na2,c2\n")
    mapping.write_text('{event_id: .id, customer_id: .customer, occurred_at: "2026-01-01T00:00:00Z", source: "csv:answers", channel: "EMAIL",'
                       ' type: "SurveyAnswered", data: {survey_id: "s", kind: "CSAT", score: (.score | tonumber)}}')
    done = installation.run("import", file, "--mapping", mapping)
    assert done.returncode == 1
    assert not installation.records("touchpoints")
    rejected = installation.records("touchpoints.rejected")
    assert len(rejected) == 2 and {record["code"] for record in rejected} <= {"bad_mapping", "missing_field"}
    assert all(record["reason"] for record in rejected)


@pytest.mark.parametrize("text,line,part", [("{a: ", 1, "unexpected"), (".a\n| foo(1)\n", 2, "foo/1"), ("# c\n.a as $x\n| {b: (.c }\n", 3, "unexpected")])
def test_a_mapping_that_is_no_program(make_installation, text, line, part):
    """What is wrong and in which line, in one line: not the definitions that stand before every mapping."""
    installation = make_installation(topics=False)
    file, mapping = installation.folder / "answers.csv", installation.folder / "answers.jq"
    file.write_text("id\n1\n")
    mapping.write_text(text)
    done = installation.run("import", file, "--mapping", mapping)
    said = [line for line in done.stderr.splitlines() if "answers.jq" in line]
    assert done.returncode == 1 and len(said) == 1 and len(said[0]) < 300, done.stderr
    assert part in said[0] and said[0].rstrip().endswith("line %d" % line) and "shell" not in said[0], said


class Door:
    """A TCP relay in front of a service, which can be shut and opened again."""

    def __init__(self, target):
        host, port = target.split(":")
        self.target, self.port, self.open, self.pairs = (host, int(port)), free_port(), False, []

    def open_up(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.open = True
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def shut(self):
        self.open = False
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for pair in self.pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
                server = socket.create_connection(self.target)
            except OSError:
                return
            self.pairs.append((client, server))
            for a, b in ((client, server), (server, client)):
                threading.Thread(target=self._copy, args=(a, b), daemon=True).start()

    @staticmethod
    def _copy(a, b):
        try:
            while block := a.recv(65536):
                b.sendall(block)
        except OSError:
            pass
        for end in (a, b):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


@pytest.mark.parametrize("role", ["journey", "kpi", "sink", "ingest"])
def test_kafka_away_at_start(make_installation, role):
    """The service waits, says so, and begins when Kafka is there."""
    installation = make_installation(topics=False)
    door = Door(installation.services["KAFKA"])
    process = installation.start(role, settings={"kafka.brokers": "127.0.0.1:%d" % door.port, "ingest.listen": "127.0.0.1:%d" % free_port()})
    assert eventually(lambda: str(door.port) in tail(process.log) or process.poll() is not None, 30), tail(process.log)
    assert process.poll() is None, tail(process.log)
    door.open_up()  # what Kafka then says of its own address leads past the door
    assert eventually(lambda: installation.topic("touchpoints") in AdminClient({"bootstrap.servers": installation.services["KAFKA"]})
                      .list_topics(timeout=10).topics, 30), tail(process.log)
    assert installation.stop(process) == 0, tail(process.log)
    door.shut()


def answer_of(url, **how):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, **how), timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


@pytest.mark.parametrize("command", ["run", "dashboard"])
def test_what_redis_has_is_shown_while_kafka_is_away(make_installation, command):
    """A restart while Kafka is away takes neither the page from the desk nor the 503 from senders."""
    installation = make_installation(topics=False)
    door, collector, page = Door(installation.services["KAFKA"]), *("127.0.0.1:%d" % free_port() for _ in range(2))
    case = installation.redis_prefix + "case:c-1"
    installation.redis.hset(case, mapping={"customer": "c-1", "state": "open"})
    process = installation.start(command, settings={"kafka.brokers": "127.0.0.1:%d" % door.port, "ingest.listen": collector, "dashboard.listen": page})
    assert eventually(lambda: answer_of("http://%s/api/hot" % page) == 200, 20), tail(process.log)
    act = lambda: answer_of("http://%s/api/cases/c-1/acknowledge" % page, data=b"{}", headers={"Content-Type": "application/json"})
    assert act() == 503
    if command == "run":
        send = lambda: answer_of("http://%s/v1/touchpoints" % collector, data=json.dumps(good()).encode(), headers={"Content-Type": "application/json"})
        assert send() == 503 and answer_of("http://%s/readyz" % collector) == 503
    door.open_up()
    assert eventually(lambda: act() == 200, 60), tail(process.log)
    assert command != "run" or eventually(lambda: send() == 200, 60), tail(process.log)
    assert installation.stop(process) == 0, tail(process.log)
    door.shut()


def test_services_of_a_new_installation_start_together(make_installation):
    """As systemd or a compose file starts them: each makes topics and registers schemas, and nobody trips over the others."""
    installation = make_installation(topics=False)
    away = lambda: {"ingest.listen": "127.0.0.1:%d" % free_port(), "dashboard.listen": "127.0.0.1:%d" % free_port()}
    roles = ("journey", "kpi", "sink", "ingest", "dashboard", "journey", "kpi", "sink")
    processes = [installation.start(role, name="%s%d" % (role, number), settings={**away(), "engine.instance": str(number)})
                 for number, role in enumerate(roles)]
    import_lines(installation)
    assert eventually(lambda: installation.redis_kpis().get(("nps", "all", "24h"), {}).get("n") == 1, 60), installation.logs()
    assert [process.poll() for process in processes] == [None] * len(roles), installation.logs()


def test_kafka_away_for_good(make_installation):
    """Waiting or not, a service ends at once when told to."""
    installation = make_installation(topics=False)
    process = installation.start("sink", settings={"kafka.brokers": "127.0.0.1:%d" % free_port()})
    time.sleep(1)
    assert installation.stop(process, seconds=5) == 0
    assert "level=error" not in process.log.read_text(), process.log.read_text()  # it was asked to end: nothing went wrong then


@pytest.mark.parametrize("command, until, not_done", [
    (("topics",), "away", "not all topics"),
    (("forget", "c-1"), "away", "nobody was asked to be forgotten"),
    (("replay",), "away", "nothing was replayed"),
    (("check",), "config     ok", "not every connection was looked at"),
], ids=lambda value: value[0] if isinstance(value, tuple) else None)
def test_who_is_told_to_end_before_the_work_is_done_says_so(make_installation, command, until, not_done):
    """The contract: SIGTERM ends every command with 0. So that nobody takes it for done, stderr says that it is not."""
    installation = make_installation(topics=False, **{"kafka.brokers": "127.0.0.1:%d" % free_port()})
    process = installation.start(*command)
    assert eventually(lambda: until in process.log.read_text(), 10), process.log.read_text()
    assert installation.stop(process, seconds=10) == 0, tail(process.log)
    assert "touchstream %s: stopped early, so %s" % (command[0], not_done) in process.log.read_text(), tail(process.log)


def test_whom_nobody_can_be_called_is_not_forgotten(installation):
    """No event has such an id, and the request would be rejected behind the back of who sent it."""
    for id in (b"caf\xe9", b"", b"x" * 257):
        done = subprocess.run([installation.program, "forget", "--config", str(installation.config), "c-1", id], capture_output=True, text=True, timeout=60)
        assert done.returncode == 2 and "256 bytes of UTF-8" in done.stderr and not done.stdout, done


@pytest.mark.parametrize("line, part", [
    ("generate --rate 10 --start 2026-01-01T00:00:00Z --events 1 --out -", "--start and --span are of no use with --rate"),
    ("generate --rate 10 --span 1d --events 1 --out -", "--start and --span are of no use with --rate"),
    ("generate --span 0s --events 1 --out -", "--span"),
    ("generate --seed -3 --events 1 --out -", "--seed must not be negative"),
    ("generate --events 1 --out /nowhere/events.ndjson", "--out: /nowhere/events.ndjson: No such file or directory"),
    ("backtest cases --scores", "--scores is for shifts"),
    ("backtest churn nobody.csv --false-alarms-per-month 2", "--false-alarms-per-month is for shifts"),
    ("backtest shifts nobody.csv --false-alarms-per-month 0", "--false-alarms-per-month must be above 0"),
    ("backtest shifts series.csv --within 3d", "--within is for cases"),
])
def test_an_option_that_would_be_passed_over_is_refused(installation, line, part):
    command, *arguments = line.split()
    done = installation.run(command, *arguments)
    assert done.returncode == 2 and part in done.stderr and not done.stdout, (done.returncode, done.stdout, done.stderr)


def test_redis_away(make_installation):
    """The sink waits for Redis and loses nothing; the processors do not notice."""
    installation = make_installation()
    door = Door(installation.services["REDIS"])
    installation.start("journey")
    installation.start("kpi")
    sink = installation.start("sink", settings={"redis.address": "127.0.0.1:%d" % door.port})
    import_lines(installation)
    assert eventually(lambda: ("nps", "all", "24h") in installation.kpis(), 60), installation.logs()
    assert sink.poll() is None and not installation.redis_kpis()
    door.open_up()
    assert eventually(lambda: installation.redis_kpis().get(("nps", "all", "24h"), {}).get("n") == 1, 60), installation.logs()
    door.shut()
    import_lines(installation, good(customer_id="c-43"))
    assert eventually(lambda: installation.kpis()["nps", "all", "24h"]["n"] == 2, 60), installation.logs()
    assert sink.poll() is None
    door.open_up()
    assert eventually(lambda: installation.redis_kpis()["nps", "all", "24h"]["n"] == 2, 60), installation.logs()
    door.shut()


def test_registry_away_when_a_schema_is_new(make_installation):
    """Another producer's schema comes while the registry is away: its records wait, in one place with everything behind them, and nobody ends."""
    installation = make_installation()
    door = Door(installation.services["REGISTRY"].split("/")[2])
    door.open_up()
    path = installation.services["REGISTRY"].split("/", 3)[3]
    status = free_port()
    process = installation.start("run", "journey", "kpi", settings={"registry.url": "http://127.0.0.1:%d/%s" % (door.port, path),
                                                                    "status.listen": "127.0.0.1:%d" % status})
    import_lines(installation)
    assert eventually(lambda: len(installation.messages("touchpoints.enriched")) == 2, 60), tail(process.log)

    subject = installation.topic("touchpoints") + "-value"
    schema = json.loads(installation.registry.get_latest_version(subject).schema.schema_str)
    schema["fields"].append({"name": "tier", "type": ["null", "string"], "default": None})
    id = installation.registry.register_schema(subject, Schema(json.dumps(schema), "AVRO"))
    door.shut()
    record = {**installation.records("touchpoints")[0], "event_id": uuid.uuid4().bytes, "tier": "gold"}
    value = io.BytesIO(b"\0" + id.to_bytes(4, "big"))
    value.seek(5)
    fastavro.schemaless_writer(value, fastavro.parse_schema(schema), record)
    producer = Producer({"bootstrap.servers": installation.services["KAFKA"], "partitioner": "murmur2_random"})
    producer.produce(installation.topic("touchpoints"), key=record["customer_id"], value=value.getvalue())
    producer.flush(10)
    assert eventually(lambda: "records wait for a schema" in process.log.read_text(), 20), tail(process.log)
    import_lines(installation, good())  # of the same customer and so behind it
    time.sleep(3)  # some attempts
    assert process.poll() is None and len(installation.messages("touchpoints.enriched")) == 2, tail(process.log)
    assert process.log.read_text().count("records wait for a schema") == 1

    def has_begun_again():
        with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % status, timeout=30) as answer:
            return re.search(r'touchstream_engine_restarts_total\{role="journey",thread="0"\} [1-9]', answer.read().decode())

    assert eventually(has_begun_again, 20), tail(process.log)
    door.open_up()
    assert eventually(lambda: len(installation.messages("touchpoints.enriched")) == 6, 60), tail(process.log)
    events = [enriched["event_id"] for enriched in installation.records("touchpoints.enriched")]
    assert len(set(events)) == 6 and record["event_id"] in events and not installation.rejected()
    assert installation.stop(process) == 0
    door.shut()


def newer(schema):
    """The touchpoint's schema as it may be next year: a channel, a priority and a kind of body more, all of it compatible for readers of that year."""
    text = json.dumps(schema).replace('"STORE", "DEVICE"', '"STORE", "FAX", "DEVICE"').replace('"HIGH", "URGENT"', '"HIGH", "VITAL", "URGENT"')
    schema = json.loads(text)
    body = next(field for field in schema["fields"] if field["name"] == "body")
    body["type"].append({"type": "record", "name": "Levitated", "fields": [{"name": "height", "type": "int"}]})
    return schema


def test_what_a_newer_schema_has_and_ours_does_not(make_installation):
    """Each such record costs its sender an error that says which field, in the names of the JSON form; the others of that schema are read."""
    installation = make_installation()
    import_lines(installation)
    subject = installation.topic("touchpoints") + "-value"
    schema = newer(json.loads(installation.registry.get_latest_version(subject).schema.schema_str))
    id = installation.registry.register_schema(subject, Schema(json.dumps(schema), "AVRO"))
    producer = Producer({"bootstrap.servers": installation.services["KAFKA"], "partitioner": "murmur2_random"})
    ticket = {"ticket_id": "t", "action": "OPENED", "team": None, "agent": None, "text": None}
    for changes in ({"channel": "DEVICE"}, {"channel": "FAX"}, {"body": ("touchstream.TicketChanged", {**ticket, "priority": "VITAL"})},
                    {"body": ("touchstream.Levitated", {"height": 3})}):
        record = {**installation.records("touchpoints")[0], "customer_id": "c-next", "event_id": uuid.uuid4().bytes, **changes}
        value = io.BytesIO(b"\0" + id.to_bytes(4, "big"))
        value.seek(5)
        fastavro.schemaless_writer(value, fastavro.parse_schema(schema), record)
        producer.produce(installation.topic("touchpoints"), key="c-next", value=value.getvalue())
    producer.flush(10)
    installation.start("journey")
    assert eventually(lambda: len(installation.rejected()) == 3, 60), (installation.rejected(), installation.logs())
    found = {(record["code"], record["path"]): record["reason"] for record in installation.rejected()}
    assert found.keys() == {("unknown_symbol", "channel"), ("unknown_symbol", "data.priority"), ("unknown_type", "type")}, found
    assert "FAX" in found["unknown_symbol", "channel"] and "VITAL" in found["unknown_symbol", "data.priority"] and "Levitated" in found["unknown_type", "type"]
    assert [record["channel"] for record in installation.records("touchpoints.enriched") if record["customer_id"] == "c-next"] == ["DEVICE"]


def start_watched(installation):
    """The journey stage, and what asks for its metrics."""
    status = free_port()
    process = installation.start("journey", settings={"status.listen": "127.0.0.1:%d" % status})

    def metrics():
        with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % status, timeout=5) as answer:
            return answer.read().decode()

    return process, metrics


def test_keys_that_are_not_the_customers_are_made_known(make_installation):
    """Where another producer's keys spread a customer over partitions each part is a customer, and the numbers alone do not show it."""
    installation = make_installation()
    process, metrics = start_watched(installation)
    import_lines(installation)
    value = next(message.value() for message in installation.messages("touchpoints") if message.value())
    id, record = int.from_bytes(value[1:5], "big"), installation.decode(value)
    producer = Producer({"bootstrap.servers": installation.services["KAFKA"], "partitioner": "murmur2_random"})
    for key in (None, "order-17", "order-18", "c-secret"):
        written = io.BytesIO()
        fastavro.schemaless_writer(written, installation.schemas[id], {**record, "customer_id": "c-secret", "source": "erp", "event_id": uuid.uuid4().bytes})
        producer.produce(installation.topic("touchpoints"), key=key, value=value[:5] + written.getvalue())
    producer.flush(10)
    assert eventually(lambda: len(installation.messages("touchpoints.enriched")) == 6, 60), tail(process.log)
    said = [line for line in process.log.read_text().splitlines() if "key is not its customer_id" in line]
    assert len(said) == 1 and re.search(r"level=warning .* partition=\d offset=\d+ source=erp key=(none|another)", said[0]), said
    assert "secret" not in process.log.read_text()
    assert "\ntouchstream_journey_miskeyed_total 3\n" in metrics()
    assert not installation.rejected()


@pytest.mark.parametrize("partitioner", ["consistent_random", "murmur2_random"])
def test_partitions_that_the_key_does_not_choose_are_made_known(make_installation, partitioner):
    """A client made of librdkafka that is left its default puts the right keys into other partitions than our doors and Java clients do. All counts
    as before, and who produces as we do hears nothing."""
    installation = make_installation()
    import_lines(installation)
    process, metrics = start_watched(installation)
    value = next(message.value() for message in installation.messages("touchpoints") if message.value())
    id, record = int.from_bytes(value[1:5], "big"), installation.decode(value)
    producer = Producer({"bootstrap.servers": installation.services["KAFKA"], "partitioner": partitioner})
    for i in range(400):
        written, customer = io.BytesIO(), "c-secret-%d" % (i % 40)
        fastavro.schemaless_writer(written, installation.schemas[id], {**record, "customer_id": customer, "source": "erp", "event_id": uuid.uuid4().bytes})
        producer.produce(installation.topic("touchpoints"), key=customer, value=value[:5] + written.getvalue())
    producer.flush(10)
    assert eventually(lambda: len(installation.messages("touchpoints.enriched")) == 402, 60), tail(process.log)
    found = int(re.search(r"\ntouchstream_journey_misplaced_total (\d+)\n", metrics()).group(1))
    said = [line for line in process.log.read_text().splitlines() if "murmur2" in line]
    if partitioner == "murmur2_random":
        assert found == 0 and not said, said
    else:
        assert 0 < found <= 400 // 17 + 8
        assert len(said) == 1 and re.search(r"level=warning .*partitioner=murmur2_random.* partition=(\d) chosen=(?!\1)\d offset=\d+ source=erp", said[0]), said
    assert "secret" not in process.log.read_text() and not installation.rejected()
    assert "\ntouchstream_journey_miskeyed_total 0\n" in metrics()


READERS = [("inspect", "touchpoints"), ("explain", "nps", "--window", "24h"), ("backtest", "cases")]


@pytest.mark.parametrize("command", READERS, ids=lambda command: command[0])
def test_who_cannot_read_does_not_answer(make_installation, command):
    """With the registry away nothing is known of the events: that is no «none of them», and no number."""
    installation = make_installation()
    import_lines(installation)
    installation.write_config({**installation.settings, "registry.url": "http://127.0.0.1:%d/" % free_port()})
    done = installation.run(*command)
    assert done.returncode == 1 and not done.stdout and "registry" in done.stderr, (done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("command", READERS, ids=lambda command: command[0])
def test_who_waits_for_kafka_ends_when_told_to(make_installation, command):
    """And who has waited in vain says why."""
    installation = make_installation(topics=False, **{"kafka.brokers": "127.0.0.1:%d" % free_port()})
    process = installation.start(*command)
    assert eventually(lambda: "away" in process.log.read_text(), 10), process.log.read_text()
    assert installation.stop(process, seconds=3) == 0
    if command != READERS[0]:
        return  # ten seconds each
    done = installation.run(*command)
    assert done.returncode == 1 and not done.stdout and "Connection refused" in done.stderr, (done.returncode, done.stdout, done.stderr)


def test_registry_refuses_a_schema(make_installation):
    import requests
    installation = make_installation(topics=False)
    subject = "%s/subjects/%s-value" % (installation.services["REGISTRY"], installation.topic("touchpoints"))
    answer = requests.post(subject + "/versions", json={"schema": '{"type": "string"}'}, timeout=10)
    assert answer.ok, answer.text
    requests.put("%s/config/%s-value" % (installation.services["REGISTRY"], installation.topic("touchpoints")),
                 json={"compatibility": "BACKWARD"}, timeout=10)
    done = installation.run("topics")
    assert done.returncode == 1, done.stderr
    assert installation.topic("touchpoints") + "-value" in done.stderr


def test_unknown_option(program, make_installation):
    installation = make_installation(topics=False)
    done = installation.run("import", "--colour", "red", "x.csv")
    assert done.returncode == 2 and "--colour" in done.stderr


def test_options_of_every_command(program, tmp_path):
    """--name value, --name=value; a missing value is called missing."""
    config = tmp_path / "touchstream.yaml"
    config.write_text("engine:\n  comit_interval: 50ms\n")
    run = lambda *arguments: subprocess.run([program, "check", *arguments], capture_output=True, text=True, timeout=10)
    for arguments in (["--config", str(config)], ["--config=%s" % config, "--log=json"]):
        done = run(*arguments)
        assert done.returncode == 2 and "touchstream.yaml:2" in done.stderr, done.stderr
    for name in ("--config", "--log", "--log-level"):
        done = run(name)
        assert done.returncode == 2 and name + " wants a value" in done.stderr, done.stderr


@pytest.mark.parametrize("arguments,code,part", [
    (["help", "import"], 0, "--rebase"), (["--help", "import"], 0, "--rebase"), (["import", "-h"], 0, "--rebase"), (["help", "imprt"], 2, "'import'"),
    (["--config", "x.yaml", "check"], 2, "comes first"), (["check", "--config", "/"], 2, "Is a directory"),
    (["explain", "npss", "--window", "24h"], 2, "'nps'"), (["import", "-h"], 0, "\n  --tables NAME=FILE:KEY,…   side tables"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else None)
def test_what_a_stranger_types(program, arguments, code, part):
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=10)
    assert done.returncode == code and part in done.stdout + done.stderr, done.stdout + done.stderr


@pytest.mark.parametrize("text,part", [("kafka: &all {brokers: *all}", "alias"), ("kafka: [1, 2]", "group of settings")])
def test_odd_yaml(make_installation, text, part):
    installation = make_installation(topics=False)
    installation.config.write_text(text + "\n")
    done = installation.run("check")
    assert done.returncode == 2 and part in done.stderr and "touchstream.yaml" in done.stderr, (done.returncode, done.stderr)


def test_unknown_command(program, make_installation):
    installation = make_installation(topics=False)
    done = subprocess.run([program, "dance", "--config", str(installation.config)], capture_output=True, text=True, timeout=10)
    assert done.returncode == 2 and "dance" in done.stderr


def test_config_typo(make_installation):
    """Names file, line, key and the nearest valid key."""
    installation = make_installation(topics=False)
    installation.config.write_text("kafka:\n  brokers: 127.0.0.1:1\n\nengine:\n  comit_interval: 50ms\n")
    done = installation.run("check")
    assert done.returncode == 2
    for part in ("touchstream.yaml:5", "engine.comit_interval", "engine.commit_interval"):
        assert part in done.stderr, done.stderr


@pytest.mark.parametrize("text,line,parts", [
    ("kpi:\n  rollups: [channel, chanel]\n", 2, ["kpi.rollups", "chanel"]),
    ("kpi:\n  rollups: [channel, product, channel]\n", 2, ["kpi.rollups", "'channel'", "twice"]),
    ("kpi:\n  rollups: [channel, team+team]\n", 2, ["kpi.rollups", "'team+team'", "twice"]),
    ("notify:\n  receivers:\n    - {name: us, url: 'http://127.0.0.1:1'}\n    - {name: us, url: 'http://127.0.0.1:2'}\n", 4,
     ["notify.receivers", "same name"]),
    ("---\ntopics: {prefix: a.}\n", 2, ["second document"]),
    ("kpi:\n  time_zone: Europe/Berln\n", 2, ["kpi.time_zone", "Europe/Berln"]),
    ("kpi:\n  targets:\n    csatt: 4.6\n", 3, ["kpi.targets.csatt", "'csat'"]),
    ("sla:\n  calendar: office\n", 2, ["sla.calendar", "office"]),
    ("sla:\n  calendars:\n    office:\n      mo: 09:00-17:00\n", 4, ["sla.calendars.mo", "'mon'"]),
    ("sla:\n  policies:\n    - priorty: HIGH\n", 3, ["sla.policies.priorty", "'priority'"]),
    ("ingest:\n  sources:\n    - {name: shop, tokn: x}\n", 3, ["ingest.sources.tokn", "'token'"]),
    ("notify:\n  receivers:\n    - {name: us, ulr: 'http://127.0.0.1:1'}\n", 3, ["notify.receivers.ulr", "'url'"]),
    ("followups:\n  rules:\n    thanks: {dely: 3d}\n", 3, ["followups.rules.dely", "'delay'"]),
    ("sla:\n  policies:\n    - {priority: VITAL}\n", 3, ["sla.policies.priority", "URGENT"]),
    ("sla:\n  policies:\n    - {calendar: office}\n", 3, ["sla.policies.calendar", "sla.calendars"]),
    ("followups:\n  rules: [thanks]\n", 2, [": followups.rules: is a map"]),
    ("followups:\n  rules:\n    thank_you: {conditions: [happpy]}\n", 3, ["followups.rules", "'happpy'", "during_cases"]),
    ("notify:\n  dashboard_url: dash.example\n", 2, ["notify.dashboard_url", "'dash.example'", "https://"]),
    ("ingest:\n  listen: 127.0.0.1:99999\n", 2, ["ingest.listen", "99999", "65535"]),
    ("kafka:\n  properties:\n    client.rak: a\n", 3, ["kafka.properties", "client.rak", "No such configuration property"]),
    ("kafka:\n  properties:\n    socket.keepalive.enable: perhaps\n", 3, ["kafka.properties", "socket.keepalive.enable", "true or false"]),
    ("kafka:\n  properties:\n    isolation.level: read_uncommitted\n", 3, ["kafka.properties", "isolation.level", "not about the connection"]),
    ("kafka:\n  properties:\n    sasl.password: x\n", 3, ["kafka.properties", "kafka.sasl_password"]),
    ("kafka:\n  properties: client.rack\n", 2, ["kafka.properties", "client.rack: eu-1a"]),
    ("dashboard:\n  listen: 127.0.0.1:808l\n", 2, ["dashboard.listen", "808l"]),
    ("status: {listen: '127.0.0.1:65536'}\n", 1, ["status.listen", "65536", "65535"]),
    ("redis:\n  address: 127.0.0.1:70000\n", 2, ["redis.address", "65535"]),
    ("ingest:\n  sources:\n    - {name: shop, token: x}\n    - {name: desk, token: x}\n", 4, ["ingest.sources", "'desk'", "'shop'"]),
    ("ingest:\n  token: x\n  sources:\n    - {name: shop, token: x}\n", 4, ["ingest.sources", "'shop'", "ingest.token"]),
    ("ingest:\n  sources:\n    - {name: shop, secret: x}\n    - {name: desk, secret: x}\n", 4, ["ingest.sources", "'desk'", "'shop'"]),
    ("hot:\n  from: 20\n", 2, ["hot.until", "60", "hot.from", "20"]),
    ("hot:\n  from: 20\n  until: 50\n", 3, ["hot.until", "50", "hot.from", "20"]),
    ("alerts: {churn_from: 0.2, churn_until: 0.5}\n", 1, ["alerts.churn_until", "alerts.churn_from"]),
    ("notify: {retry_first: 5m, retry_most: 1m}\n", 1, ["notify.retry_first", "notify.retry_most"]),
    ("sla:\n  calendars:\n    office: {zone: Europe/Berlin}\n", 3, ["sla.calendars", "hours"]),
    ("sla:\n  calendars:\n    office: {mon: []}\n", 3, ["sla.calendars", "hours"]),
    ("topics:\n  prefix: 'our shop/'\n", 2, ["topics.prefix", "our shop/"]),
    ("topics:\n  prefix: %s\n" % (230 * "a"), 2, ["topics.prefix", "249"]),
    ("engine: {instance: 'a b'}\n", 1, ["engine.instance", "a b"]),
    ("redis:\n  prefix: ''\n", 2, ["redis.prefix", "empty"]),
    ("kpi:\n  targets: {fcr: 80}\n", 2, ["kpi.targets.fcr", "80", "0.8"]),
    ("kpi:\n  targets:\n    nps: 300\n", 3, ["kpi.targets.nps", "100"]),
    ("kpi:\n  targets: {csat: 90}\n", 2, ["kpi.targets.csat", "1 to 5"]),
    ("notify:\n  silences:\n    - {author: Ada, reason: x, rules: [case]}\n", 3, ["notify.silences", "until"]),
    ("notify:\n  receivers:\n    - {name: a, url: 'http://h/', after: soon}\n", 3, ["notify.receivers", "15m"]),
    ("kpi:\n  alerts:\n    windows: {csat: 2h}\n", 3, ["kpi.alerts.windows.csat", "24h"]),
    ("kpi:\n  alerts:\n    dimensions: [all, region]\n", 3, ["kpi.alerts.dimensions", "region", "kpi.rollups"]),
])
@pytest.mark.parametrize("command", ["check", "journey", "run"])
def test_mistakes_within_a_mapping(make_installation, command, text, line, parts):
    """Told alike by every command, before anything is connected to: exit 2, not a service that dies later."""
    installation = make_installation(topics=False)
    installation.config.write_text("kafka: {brokers: 127.0.0.1:1}\n" + text)
    done = installation.run(command)
    assert done.returncode == 2, done.stderr
    for part in ("touchstream.yaml:%d:" % (line + 1), *parts):
        assert part in done.stderr, done.stderr


def test_a_value_of_the_environment_is_told_as_one(make_installation):
    """The line in the file is not where to look: the variable holds over it."""
    installation = make_installation(topics=False)
    installation.config.write_text("kafka: {brokers: 127.0.0.1:1}\nredis: {prefix: 'ts:'}\n")
    done = installation.run("journey", environment={"TOUCHSTREAM_REDIS_PREFIX": ""})
    assert done.returncode == 2 and "TOUCHSTREAM_REDIS_PREFIX" in done.stderr and "empty" in done.stderr, done.stderr
    assert "touchstream.yaml" not in done.stderr, done.stderr


@pytest.mark.parametrize("name,parts", [
    ("TOUCHSTREAM_KAFKA_BROKER", ["TOUCHSTREAM_KAFKA_BROKERS", "kafka.brokers"]),
    ("TOUCHSTREAM_INGEST_SOURCES", ["ingest.sources", "file"]),
])
@pytest.mark.parametrize("command", ["check", "topics"])
def test_a_variable_without_effect_is_told(make_installation, command, name, parts):
    installation = make_installation(topics=False)
    done = installation.run(command, environment={name: "s3cret-value"})
    said = [line for line in (done.stdout + done.stderr).splitlines() if name in line.replace("TOUCHSTREAM_KAFKA_BROKERS", "")]
    assert len(said) == 1 and "warning" in said[0] and all(part in said[0] for part in parts), done.stdout + done.stderr
    assert "s3cret-value" not in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["TOUCHSTREAM_KAFKA_BROKERS", "TOUCHSTREAM_CONFIG", "TOUCHSTREAM", "TOUCH"])
def test_a_variable_that_is_right_is_no_doubt(make_installation, name):
    installation = make_installation(topics=False)
    done = installation.run("check", environment={name: installation.services["KAFKA"] if "KAFKA" in name else str(installation.config)})
    assert "warning" not in done.stdout + done.stderr, done.stdout + done.stderr


@pytest.mark.parametrize("settings,key,part", [
    ({"dashboard.listen": "0.0.0.0:1"}, "dashboard.listen", "dashboard.token"),
    ({"dashboard.listen": "[::]:1", "dashboard.token": "x"}, "dashboard.listen", "proxy"),
    ({"ingest.listen": "0.0.0.0:1"}, "ingest.listen", "ingest.token"),
    ({"ingest.listen": "127.shop.example:1"}, "ingest.listen", "ingest.token"),
    ({"ingest.listen": "0.0.0.0:1", "ingest.token": "x", "dashboard.listen": "[::1]:1"}, None, None),
])
def test_check_says_who_may_come_in(make_installation, settings, key, part):
    installation = make_installation(topics=False, **settings)
    said = [line for line in installation.run("check").stdout.splitlines() if "warning" in line]
    assert [line.split()[2] for line in said] == ([key + ":"] if key else []), said
    assert not key or part in said[0], said


def test_a_dashboard_open_to_everyone_says_so_as_it_starts(make_installation):
    installation = make_installation(**{"dashboard.listen": "0.0.0.0:%d" % free_port()})
    process = installation.start("dashboard")
    assert eventually(lambda: "dashboard is there" in process.log.read_text(), 20), process.log.read_text()
    said = [line for line in process.log.read_text().splitlines() if "level=warning" in line and "dashboard.listen" in line]
    assert len(said) == 1 and "dashboard.token" in said[0], process.log.read_text()
