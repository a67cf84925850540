"""The Redis sink: what the topics say is in Redis, once, whatever is killed or flushed in between."""

import datetime
import json
import os
import pathlib
import random
import signal
import subprocess
import time

import pytest
import redis
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from installation import eventually
from own_services import own_redis  # noqa: F401, a fixture

NOW = 1_795_341_600_000
ROOT = pathlib.Path(__file__).resolve().parents[2]


class Topics:
    """Writes records of our own schemas, as another program would."""

    def __init__(self, installation):
        self.installation, self.serializers = installation, {}
        self.producer = Producer({"bootstrap.servers": installation.services["KAFKA"], "partitioner": "murmur2_random"})

    def put(self, topic, key, record, **more):
        name = self.installation.topic(topic)
        if topic not in self.serializers:
            schema = self.installation.registry.get_latest_version(name + "-value").schema.schema_str
            self.serializers[topic] = AvroSerializer(self.installation.registry, schema, conf={"auto.register.schemas": False})
        value = record and self.serializers[topic](record, SerializationContext(name, MessageField.VALUE))
        self.producer.produce(name, key=key, value=value, **more)

    def flush(self):
        assert self.producer.flush(30) == 0


def kpi(value, n=10, dimension="all", window="24h"):
    return {"kpi": "nps", "dimension": dimension, "window": window, "value": value, "n": n, "numerator": value, "denominator": float(n),
            "low_n": False, "maturity": 1.0, "watermark": NOW, "definition": "nps/1", "at": NOW}


def alert(case, state, score, revision=1):
    return {"alert_id": case, "revision": revision, "case_id": case, "rule": "negative_feedback", "kind": "NEGATIVE_FEEDBACK",
            "severity": "WARNING", "state": state, "customer_id": "c-1", "score": score,
            "reasons": [{"code": "nps", "points": 35.0, "event_id": bytes(16), "text": "NPS 0"}], "text": "bad",
            "opened_at": NOW, "changed_at": NOW + revision, "historical": False}


@pytest.fixture
def topics(installation):
    return Topics(installation)


def field(installation, window="24h", dimension="all"):
    text = installation.redis.hget(installation.redis_prefix + "kpi:nps:" + window, dimension)
    return text and json.loads(text)


def test_values_cases_and_tombstones(installation, topics):
    installation.start("sink")
    topics.put("kpis", "nps|24h|all", kpi(40.0))
    topics.put("alerts", "case-1", alert("case-1", "OPEN", 45.0))
    topics.flush()
    assert eventually(lambda: field(installation)), installation.logs()
    assert field(installation)["value"] == 40 and field(installation)["at"] == NOW
    case = installation.redis_prefix + "case:case-1"
    assert eventually(lambda: installation.redis.hget(case, "state") == "open"), installation.logs()
    assert installation.redis.zscore(installation.redis_prefix + "hot", "case-1") == 45.0
    assert json.loads(installation.redis.hget(case, "reasons"))[0]["text"] == "NPS 0"

    topics.put("alerts", "case-1", alert("case-1", "RESOLVED", 45.0, 2))
    topics.put("kpis", "nps|24h|all", None)
    topics.flush()
    assert eventually(lambda: installation.redis.hget(case, "state") == "resolved")
    assert eventually(lambda: field(installation) is None)
    assert installation.redis.zscore(installation.redis_prefix + "hot", "case-1") is None
    assert installation.redis.xlen(installation.redis_prefix + "alerts") == 2
    days = installation.redis.ttl(case) / 86400  # what is over leaves some day
    assert 89 < days <= 90, days
    topics.put("alerts", "case-1", alert("case-1", "OPEN", 45.0, 3))
    topics.flush()
    assert eventually(lambda: installation.redis.hget(case, "state") == "open")
    assert installation.redis.ttl(case) == -1  # unless it is not over


def test_killed_at_any_moment_the_database_ends_the_same(installation, topics):
    chance = random.Random(5)
    for round_number in range(8):
        sink = installation.start("sink")
        for i in range(400):
            topics.put("kpis", "nps|24h|p=%d" % (i % 20), kpi(float(round_number * 1000 + i), dimension="p=%d" % (i % 20)))
            topics.put("alerts", "case-%d" % i, alert("case-%d" % i, "OPEN", float(i), round_number + 1))
        topics.flush()
        # Kill it while it writes, sometimes before it began.
        wanted = chance.randrange(0, 300)
        eventually(lambda: installation.redis.xlen(installation.redis_prefix + "alerts") >= round_number * 400 + wanted, 10, 0.005)
        installation.stop(sink, signal.SIGKILL)
    installation.start("sink")
    alerts = installation.redis_prefix + "alerts"
    assert eventually(lambda: installation.redis.xlen(alerts) >= 8 * 400, 40), installation.logs()
    values = lambda: [(field(installation, dimension="p=%d" % i) or {}).get("value") for i in range(20)]
    assert eventually(lambda: values() == list(range(7380, 7400))), (values(), installation.logs())  # they are in several partitions
    seen = [(entry["alert_id"], entry["revision"]) for _, entry in installation.redis.xrange(alerts)]
    assert len(seen) == len(set(seen)) == 8 * 400  # once each, nothing twice


def connections_of(process):
    """Local ports of a process's TCP connections."""
    inodes = set()
    for name in os.listdir("/proc/%d/fd" % process.pid):
        try:
            inodes.add(os.readlink("/proc/%d/fd/%s" % (process.pid, name)).removeprefix("socket:[").rstrip("]"))
        except FileNotFoundError:
            pass  # closed meanwhile
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [row.split() for row in list(table)[1:]]
    return {int(row[1].rsplit(":", 1)[1], 16) for row in rows if row[9] in inodes}


def test_connections_lost_while_batches_are_under_way(installation, topics):
    sink, chance, cut = installation.start("sink"), random.Random(7), 0
    alerts, series = installation.redis_prefix + "alerts", installation.redis_prefix + "series:nps:all"
    last = {}
    for i in range(6000):
        topics.put("alerts", "case-%d" % i, alert("case-%d" % i, "OPEN", float(i)))
        if i % 10 == 0:
            hour = {"end_at": NOW + chance.randrange(30) * 3_600_000, "value": float(i), "n": i}
            topics.put("kpis", "nps|90d|all", {**kpi(float(i), window="90d"), "closed": [hour]})
            last[hour["end_at"]] = float(i)
        if i % 1000 == 999:
            topics.flush()
            wanted = i - chance.randrange(900)
            eventually(lambda: installation.redis.xlen(alerts) >= wanted, 20, 0.002)
            ours = connections_of(sink)
            for client in installation.redis.client_list():
                if int(client["addr"].rsplit(":", 1)[1]) in ours:
                    cut += installation.redis.client_kill_filter(_id=client["id"])
    assert cut > 0
    assert eventually(lambda: installation.redis.xlen(alerts) >= 6000, 40), installation.logs()
    assert eventually(lambda: (field(installation, window="90d") or {}).get("value") == 5990), installation.logs()
    seen = [entry["alert_id"] for _, entry in installation.redis.xrange(alerts)]
    assert len(seen) == len(set(seen)) == 6000  # once each, nothing twice
    stored = {int(entry.split("-")[0]): float(fields["value"]) for entry, fields in installation.redis.xrange(series)}
    assert stored == last


def test_a_flushed_database_is_filled_again_by_itself(installation, topics):
    installation.start("sink")
    for i in range(50):
        topics.put("kpis", "nps|24h|p=%d" % i, kpi(float(i), dimension="p=%d" % i))
    topics.flush()
    assert eventually(lambda: field(installation, dimension="p=49")), installation.logs()
    keys = list(installation.redis.scan_iter(installation.redis_prefix + "*"))
    installation.redis.delete(*keys)
    topics.put("kpis", "nps|24h|new", kpi(1.0, dimension="new"))
    topics.flush()
    assert eventually(lambda: field(installation, dimension="new")), installation.logs()
    assert eventually(lambda: installation.redis.hlen(installation.redis_prefix + "kpi:nps:24h") == 51), installation.logs()


def test_a_zombie_does_not_overwrite_its_successor(installation, topics):
    old = installation.start("sink", name="old", settings={})
    topics.put("kpis", "nps|24h|all", kpi(1.0))
    topics.flush()
    assert eventually(lambda: field(installation)), installation.logs()
    old.send_signal(signal.SIGSTOP)
    new = installation.start("sink", name="new")
    try:
        topics.put("kpis", "nps|24h|all", kpi(2.0))
        topics.flush()
        # The group gives the partitions away once the session has timed out (10 s).
        assert eventually(lambda: field(installation)["value"] == 2.0, 40), installation.logs()
    finally:
        old.send_signal(signal.SIGCONT)
    topics.put("kpis", "nps|24h|all", kpi(3.0))
    topics.flush()
    assert eventually(lambda: field(installation)["value"] == 3.0, 40), installation.logs()
    installation.stop(old)
    installation.stop(new)


def test_ends_although_its_topics_were_deleted(installation, topics):
    """librdkafka never lets go of a handle whose topics went away; whoever asks the sink to end gets it all the same, and soon."""
    topics.put("kpis", "nps|24h|all", kpi(1.0))
    topics.flush()
    sink = installation.start("sink")
    assert eventually(lambda: field(installation))
    names = [installation.topic(name) for name in ("kpis", "alerts", "touchpoints.enriched", "journeys", "followups", "trend.shifts")]
    admin = AdminClient({"bootstrap.servers": installation.services["KAFKA"]})
    for future in admin.delete_topics(names).values():
        future.result(30)
    said = lambda: [line for line in sink.log.read_text().splitlines() if "kafka does not have a topic" in line]
    assert eventually(lambda: len(said()) >= len(names)), installation.logs()
    assert len(said()) == len(names), "not one for each partition\n" + installation.logs()
    assert installation.stop(sink, seconds=10) == 0


def test_rebuild_gives_the_same_database(installation, topics):
    sink = installation.start("sink")
    for i in range(30):
        topics.put("kpis", "nps|24h|p=%d" % i, kpi(float(i), dimension="p=%d" % i))
        topics.put("alerts", "case-%d" % i, alert("case-%d" % i, "OPEN", float(i)))
    topics.flush()
    hot, table = installation.redis_prefix + "hot", installation.redis_prefix + "kpi:nps:24h"
    assert eventually(lambda: installation.redis.zcard(hot) == 30 and installation.redis.hlen(table) == 30), installation.logs()
    before = installation.redis.hgetall(table), installation.redis.zrange(hot, 0, -1, withscores=True)
    installation.stop(sink)
    installation.redis.hset(table, "wrong", "{}")
    installation.start("sink", "--rebuild", name="rebuild")
    assert eventually(lambda: installation.redis.zcard(hot) == 30 and installation.redis.hlen(table) == 30), installation.logs()
    assert (installation.redis.hgetall(table), installation.redis.zrange(hot, 0, -1, withscores=True)) == before


def test_rebuild_empties_its_own_prefix_alone(make_installation):
    """A prefix is characters, not a pattern: what a neighbour has under another one stays."""
    installation = make_installation()
    prefix, redis = installation.redis_prefix + "shop*[1]:", installation.redis
    mine, neighbours = prefix + "x", [installation.redis_prefix + name for name in ("shopping1:x", "shop-1:x", "shop*1:x", "hot")]
    for key in (mine, *neighbours):
        redis.set(key, "1")
    process = installation.start("sink", "--rebuild", settings={"redis.prefix": prefix})
    assert eventually(lambda: not redis.exists(mine), 20), process.log.read_text()
    assert [key for key in neighbours if not redis.exists(key)] == []


def test_who_begins_to_listen_and_then_looks_misses_nothing(installation, topics):
    """Values are not published while nobody listens; a listener may come at any moment of a batch."""
    installation.start("sink")
    table, channel = installation.redis_prefix + "kpi:nps:24h", installation.redis_prefix + "live:kpis"
    chance = random.Random(7)
    for i in range(1, 61):
        for filler in range(300):  # so that a batch takes a while
            topics.put("kpis", "nps|24h|p=%d" % filler, kpi(float(i), dimension="p=%d" % filler))
        topics.put("kpis", "nps|24h|all", kpi(float(i)))
        topics.flush()
        time.sleep(chance.random() * 0.01)
        listener = installation.redis.pubsub(ignore_subscribe_messages=False)
        listener.psubscribe(channel[:-1] + "?") if i % 5 == 0 else listener.subscribe(channel)
        assert listener.get_message(timeout=5)["type"].endswith("subscribe")
        values = [float((field(installation) or {"value": 0})["value"])]

        def is_up_to_date():
            message = listener.get_message(timeout=0.2)
            if message and "message" in message["type"] and json.loads(message["data"])["dimension"] == "all":
                values.append(json.loads(message["data"])["value"])
            return values[-1] == i

        assert eventually(is_up_to_date, 10, 0), (i, values, installation.logs())
        listener.close()
    assert installation.redis.hlen(table) == 301


def test_listeners_are_asked_for_only_where_there_is_something_to_hear(make_installation, own_redis):  # noqa: F811
    """Alerts are published in any case; only values of KPIs depend on whether somebody listens. Redis counts what all ask it, other tests' sinks, too."""
    installation = make_installation(**{"redis.address": own_redis.addresses["REDIS"]})
    host, port = own_redis.addresses["REDIS"].split(":")
    topics, installation.redis = Topics(installation), redis.Redis(host, int(port), decode_responses=True)

    def asked():
        return sum(stats["calls"] for name, stats in installation.redis.info("commandstats").items() if name.startswith("cmdstat_pubsub"))

    installation.start("sink")
    before = asked()
    for i in range(20):
        topics.put("alerts", "case-%d" % i, alert("case-%d" % i, "OPEN", 45.0))
        topics.flush()
        assert eventually(lambda: installation.redis.zcard(installation.redis_prefix + "hot") == i + 1, pause=0.01), installation.logs()
    assert asked() == before
    topics.put("kpis", "nps|24h|all", kpi(40.0))
    topics.flush()
    assert eventually(lambda: field(installation)), installation.logs()
    assert eventually(lambda: asked() > before)


def test_closed_hours_late_revisions_included(installation, topics):
    installation.start("sink")
    series = installation.redis_prefix + "series:nps:all"

    def hours(*points):
        topics.put("kpis", "nps|90d|all", {**kpi(1.0, window="90d"), "closed": [{"end_at": NOW + end * 3_600_000, "value": value, "n": n} for end, value, n in points]})
        topics.flush()

    def stored():
        return [((int(entry.split("-")[0]) - NOW) // 3_600_000, float(fields["value"]), int(fields["n"])) for entry, fields in installation.redis.xrange(series)]

    hours((1, 10.0, 5), (2, 20.5, 6), (3, 30.0, 7))
    assert eventually(lambda: stored() == [(1, 10.0, 5), (2, 20.5, 6), (3, 30.0, 7)]), (stored(), installation.logs())
    hours((2, 21.0, 8))  # a late event revises an hour in the middle
    assert eventually(lambda: stored() == [(1, 10.0, 5), (2, 21.0, 8), (3, 30.0, 7)]), stored()
    hours((1, 10.0, 5), (2, 21.0, 8), (3, 30.0, 7), (4, 40.0, 1))  # told again, and one more
    assert eventually(lambda: stored() == [(1, 10.0, 5), (2, 21.0, 8), (3, 30.0, 7), (4, 40.0, 1)]), stored()
    hours((0, 5.0, 1))  # older than all
    assert eventually(lambda: stored()[0] == (0, 5.0, 1) and len(stored()) == 5), stored()
    hours((2, 0.0, 0))  # it has lost all it had
    assert eventually(lambda: stored() == [(0, 5.0, 1), (1, 10.0, 5), (3, 30.0, 7), (4, 40.0, 1)]), stored()
    hours((2, 0.0, 0), (3, 31.0, 8), (4, 0.0, 0), (5, 0.0, 0))  # and the newest, too; the one after it never had anything
    assert eventually(lambda: stored() == [(0, 5.0, 1), (1, 10.0, 5), (3, 31.0, 8)]), stored()
    topics.put("kpis", "nps|24h|all", None)  # another window is empty: that is no end of it
    hours((2, 22.0, 1), (4, 41.0, 1), (5, 50.0, 1))  # both may come back
    assert eventually(lambda: stored() == [(0, 5.0, 1), (1, 10.0, 5), (2, 22.0, 1), (3, 31.0, 8), (4, 41.0, 1), (5, 50.0, 1)]), stored()
    topics.put("kpis", "nps|90d|all", None)
    topics.flush()
    assert eventually(lambda: not installation.redis.exists(series)), stored()
    hours((6, 60.0, 1))
    assert eventually(lambda: stored() == [(6, 60.0, 1)]), stored()


def test_hours_leave_by_time_and_not_by_how_many(installation, topics):
    installation.start("sink")
    series = installation.redis_prefix + "series:nps:all"

    def hours(*days):
        topics.put("kpis", "nps|90d|all", {**kpi(1.0, window="90d"), "closed": [{"end_at": NOW + day * 86_400_000, "value": 1.0, "n": 1} for day in days]})
        topics.flush()

    def stored():
        return [(int(entry.split("-")[0]) - NOW) // 86_400_000 for entry, _ in installation.redis.xrange(series)]

    hours(0, 50, 90)
    assert eventually(lambda: stored() == [0, 50, 90]), (stored(), installation.logs())
    hours(93)
    assert eventually(lambda: stored() == [50, 90, 93]), stored()
    hours(2, 91, 143)  # by way of a revision, too
    assert eventually(lambda: stored() == [90, 91, 93, 143]), stored()


def enriched(customer, seconds):
    return {"event_id": bytes(16), "customer_id": customer, "occurred_at": NOW, "received_at": NOW, "source": "shop", "channel": "APP", "attributes": {},
            "body": ("touchstream.ProductUsed", {"feature": "search", "seconds": seconds}), "stage": "UTILIZATION", "category": "DIGITAL", "topics": [],
            "hot_score": 0.0, "reasons": [], "churn_risk": 0.1, "customer": {"orders": 0, "open_tickets": 0, "events": seconds, "first_seen_at": NOW},
            "partition": 0, "offset": seconds}


def test_a_journey_has_its_newest_touchpoints_and_leaves_after_its_customer(make_installation):
    installation = make_installation(**{"redis.journey_entries_max": 3, "redis.journey_kept": "20d"})
    topics, now, day = Topics(installation), int(time.time() * 1000), 86_400_000
    journey = lambda customer: installation.redis_prefix + "journey:" + customer
    used = lambda customer: [json.loads(entry["json"])["data"]["seconds"] for _, entry in installation.redis.xrange(journey(customer))]
    days = lambda customer: installation.redis.ttl(journey(customer)) / 86400
    for customer in ("left", "stays"):
        for i in range(5):
            topics.put("touchpoints.enriched", customer, enriched(customer, i), timestamp=now - 15 * day)
    topics.flush()
    installation.start("sink")
    assert eventually(lambda: used("left") == used("stays") == [2, 3, 4]), (used("left"), used("stays"), installation.logs())
    assert 4 < days("left") <= 5 and 4 < days("stays") <= 5, (days("left"), days("stays"))
    topics.put("touchpoints.enriched", "stays", enriched("stays", 5))
    topics.flush()
    assert eventually(lambda: used("stays") == [3, 4, 5]), used("stays")
    assert days("left") <= 5 and 19 < days("stays") <= 20, (days("left"), days("stays"))


def test_what_redis_holds_is_told_by_kind(make_installation):
    installation = make_installation(topics=False)
    keys, prefix = installation.redis, installation.redis_prefix
    for customer in ('a "quoted" one', "an\\other", "third", "c:with:colons"):
        keys.xadd(prefix + "journey:" + customer, {"json": "x" * 900})
        keys.hset(prefix + "customer:" + customer, mapping={"events": 1})
    keys.pexpire(prefix + "journey:third", 100_000)
    keys.zadd(prefix + "alerts:of:third", {"a": 1})
    keys.zadd(prefix + "hot", {"case": 1})
    host, port = installation.services["REDIS"].split(":")
    for sample, ending in ((1000, "25%"), (2, None)):
        done = subprocess.run([ROOT / "deploy/redis-memory", "--prefix", prefix, "--sample", str(sample), "-h", host, "-p", port],
                              capture_output=True, text=True, timeout=60, check=True)
        rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
        assert {kind: int(row[0]) for kind, row in rows.items() if row[0].isdigit() and len(row) > 2} == {
            "journey:…": 4, "customer:…": 4, "alerts:of:…": 1, "hot": 1}, done.stdout
        assert rows["all"][0] == "10" and 900 < int(rows["journey:…"][3]) < 6000, done.stdout
        assert ending is None or rows["journey:…"][5] == ending, done.stdout


def test_follow_ups_leave_when_they_are_long_past(installation, topics):
    now, day = int(time.time() * 1000), 86_400_000

    def followup(name, due):
        return {"followup_id": name, "customer_id": "c-1", "kind": "THANK_YOU", "cause": bytes(16), "channel": "EMAIL", "due_at": due,
                "expires_at": due + day, "variables": {}}

    def stored():
        prefix = installation.redis_prefix
        return [set(installation.redis.zrange(prefix + "followups", 0, -1)), set(installation.redis.smembers(prefix + "followups:c-1")),
                {key[len(prefix + "followup:"):] for key in installation.redis.keys(prefix + "followup:*")}]

    topics.put("followups", "c-1", followup("over", now - 31 * day), timestamp=now - 10 * day)
    topics.put("followups", "c-1", followup("past", now - 29 * day), timestamp=now - 10 * day)
    topics.flush()
    installation.start("sink")
    assert eventually(lambda: stored() == [{"over", "past"}] * 3), stored()
    topics.put("followups", "c-1", followup("never", now - 31 * day))
    topics.put("followups", "c-1", followup("next", now + day))
    topics.flush()
    assert eventually(lambda: stored() == [{"past", "next"}] * 3), stored()


def everything(installation):
    """All that stands under the prefix, as one text a key."""
    client, texts = installation.redis, {}
    read = {"string": client.get, "hash": client.hgetall, "set": client.smembers, "stream": client.xrange,
            "zset": lambda key: client.zrange(key, 0, -1), "none": lambda key: None}
    for key in client.scan_iter(installation.redis_prefix + "*", count=1000):
        text = read[client.type(key)](key)
        if text:  # else it has gone while this looked
            texts[key] = "%s %s" % (key, text)
    return texts


def test_who_is_forgotten_is_named_nowhere(make_installation, tmp_path):
    """[43] Alerts, cases and follow-ups included, whoever else they stand among; the neighbour keeps theirs."""
    installation = make_installation(**{"followups.rules": {"for_the_friend": {"trigger": "referred", "kind": "OFFER", "delay": "110m", "expires": "20d"}}})
    installation.start_route()
    now = int(time.time() * 1000)

    def order_and_anger(customer, days):
        at = lambda back: datetime.datetime.fromtimestamp((now - back) / 1000, datetime.timezone.utc).isoformat()
        common = {"customer_id": customer, "source": "shop", "channel": "WEB"}
        return [{**common, "event_id": customer + "-order", "occurred_at": at(days * 86_400_000), "type": "OrderPlaced",
                 "data": {"order_id": "o-" + customer, "amount_minor": 100, "currency": "EUR"}},
                {**common, "event_id": customer + "-ticket", "occurred_at": at(2 * 86_400_000), "type": "TicketChanged",
                 "data": {"ticket_id": "t-" + customer, "action": "OPENED", "text": "My lawyer will write to you, this is dangerous"}},
                {**common, "event_id": customer + "-device", "occurred_at": at(1000), "type": "DeviceReported",
                 "data": {"device_id": "d", "code": "E7", "severity": "CRITICAL"}}]

    lines = [event for customer in ("goes-away", "stays-here") for event in order_and_anger(customer, 10)]
    lines += [{"event_id": "referral-%s-%s" % pair, "customer_id": pair[0], "source": "shop", "channel": "WEB", "type": "ReferralMade",
               "occurred_at": datetime.datetime.fromtimestamp(now / 1000 - 7200, datetime.timezone.utc).isoformat(),
               "data": {"referred_customer_id": pair[1], "converted": True}}
              for pair in (("friend", "goes-away"), ("friend", "other"), ("goes-away", "stays-here"))]
    (tmp_path / "in.ndjson").write_text("".join(json.dumps(event) + "\n" for event in lines))
    installation.succeed("import", tmp_path / "in.ndjson")
    prefix = installation.redis_prefix

    def named(customer):
        return {key[len(prefix):].split(":")[0] for key, text in everything(installation).items() if customer in text}

    def referrals_thanked_for():
        owed = [installation.redis.hgetall(prefix + "followup:" + id) for id in installation.redis.smembers(prefix + "followups:friend")]
        return sorted(json.loads(one["variables"]).get("referred", "") for one in owed if one)

    full = {"alerts", "case", "customer", "journey", "followup", "followups"}
    referral = lambda: [json.loads(entry["json"])["data"]["referred_customer_id"] for _, entry in installation.redis.xrange(prefix + "journey:friend")]
    assert eventually(lambda: full <= named("goes-away") and full <= named("stays-here") and len(referral()) == 2), (named("goes-away"), named("stays-here"))
    assert eventually(lambda: referrals_thanked_for() == ["goes-away", "other"]), referrals_thanked_for()
    installation.succeed("forget", "goes-away")
    assert eventually(lambda: not named("goes-away")), [text for text in everything(installation).values() if "goes-away" in text]
    assert full <= named("stays-here")
    assert referral() == ["other"]
    assert referrals_thanked_for() == ["other"]
    assert eventually(lambda: installation.redis.zcard(prefix + "followups") == len(installation.redis.keys(prefix + "followup:*")))


def fills_again(installation, sink):
    """Redis is emptied; gives the new sink."""
    installation.stop(sink)
    installation.redis.delete(*installation.redis.scan_iter(installation.redis_prefix + "*", 1000))
    return installation.start("sink")


def has_read(installation, topic):
    """The sink: all that the topic has."""
    ends = {message.partition(): message.offset() for message in installation.messages(topic)}
    position = lambda partition: int(installation.redis.get("%sposition:%s:%d" % (installation.redis_prefix, topic, partition)) or 0)
    return all(position(partition) > end for partition, end in ends.items())


def test_who_referred_the_forgotten_does_not_name_them_when_redis_is_filled_again(make_installation, tmp_path):
    """The partitions of those who referred may be read when that of the forgotten has been."""
    installation = make_installation()
    sink = installation.start_route()[-1]
    friends, forgotten = ["friend-%d" % i for i in range(12)], ["goes-away-%d" % i for i in range(8)]
    at = datetime.datetime.now(datetime.timezone.utc).isoformat()
    (tmp_path / "in.ndjson").write_text("".join(json.dumps(
        {"event_id": "%s-%s" % (friend, person), "customer_id": friend, "source": "shop", "channel": "WEB", "occurred_at": at, "type": "ReferralMade",
         "data": {"referred_customer_id": person, "converted": True}}) + "\n" for friend in friends for person in (*forgotten, "stays-here")))
    installation.succeed("import", tmp_path / "in.ndjson")
    named = lambda person: sum(person in text for text in everything(installation).values())
    assert eventually(lambda: named("stays-here") > len(friends)), installation.logs()
    installation.succeed("forget", *forgotten)
    assert eventually(lambda: not named("goes-away")), installation.logs()
    installation.succeed("generate", "--events", 20_000, "--customers", 500)  # more than the sink takes at once
    assert eventually(lambda: len(installation.messages("touchpoints.enriched")) > 15_000), installation.logs()
    for _ in range(3):
        sink = fills_again(installation, sink)
        assert eventually(lambda: has_read(installation, "touchpoints.enriched")), installation.logs()
        assert named("stays-here") >= len(friends) and named("goes-away") == 0


def test_who_came_back_after_a_forgetting_is_whole_when_redis_is_filled_again(make_installation, tmp_path):
    """Topics are read again in no order: the word that somebody was forgotten may come after what was told of them since."""
    installation = make_installation()
    sink = installation.start_route()[-1]

    def order(event_id):
        at = datetime.datetime.now(datetime.timezone.utc).isoformat()
        (tmp_path / "in.ndjson").write_text(json.dumps(
            {"event_id": event_id, "customer_id": "comes-back", "source": "shop", "channel": "WEB", "occurred_at": at, "type": "OrderPlaced",
             "data": {"order_id": event_id, "amount_minor": 100, "currency": "EUR"}}) + "\n")
        installation.succeed("import", tmp_path / "in.ndjson")

    def stored():
        prefix, client = installation.redis_prefix, installation.redis
        causes = [client.hget(prefix + "followup:" + id, "cause") for id in client.smembers(prefix + "followups:comes-back")]
        followups = sorted(cause for cause in causes if cause)  # else it has gone while this looked
        return client.hgetall(prefix + "customer:comes-back"), [entry["json"] for _, entry in client.xrange(prefix + "journey:comes-back")], followups

    order("before")
    assert eventually(lambda: all(stored())), installation.logs()
    installation.succeed("forget", "comes-back")
    assert eventually(lambda: not any(stored())), stored()
    order("after")
    assert eventually(lambda: all(stored()) and "last_seen_at" in stored()[0] and "events" in stored()[0]), installation.logs()
    before = stored()
    assert before[0]["events"] == "1" and len(before[1]) == len(before[2]) == 1
    for _ in range(3):
        sink = fills_again(installation, sink)
        assert eventually(lambda: stored() == before, 20), (stored(), before)


def test_a_follow_up_that_is_read_after_its_customer_was_forgotten_names_nobody(make_installation, tmp_path):
    """They are read by another thread than what says so. What is due later is of a customer who has come back."""
    installation = make_installation()
    topics = Topics(installation)
    installation.start_route()
    prefix = installation.redis_prefix
    begun = int(time.time() * 1000)

    def put(name, customer, due):
        topics.put("followups", customer, {"followup_id": name, "customer_id": customer, "kind": "THANK_YOU", "cause": bytes(16), "channel": "EMAIL",
                                           "due_at": due, "expires_at": due + 86_400_000, "variables": {}})
        topics.flush()

    put("first", "goes-away", begun)
    assert eventually(lambda: installation.redis.exists(prefix + "followups:goes-away")), installation.logs()
    installation.succeed("forget", "goes-away")
    assert eventually(lambda: not installation.redis.exists(prefix + "followups:goes-away")), installation.logs()
    put("late", "goes-away", begun)
    put("new", "goes-away", int(time.time() * 1000) + 60_000)
    put("other", "stays-here", begun)
    assert eventually(lambda: installation.redis.zrange(prefix + "followups", 0, -1) == ["other", "new"]), everything(installation)
    assert sorted(installation.redis.keys(prefix + "followup:*")) == [prefix + "followup:new", prefix + "followup:other"]
    assert installation.redis.smembers(prefix + "followups:goes-away") == {"new"}


def test_what_comes_after_a_forgetting_leaves_no_trace(make_installation, tmp_path):
    """Dated before it and told after it, to a journey stage that has been restarted in between: it counts, and names nobody."""
    installation = make_installation()
    services = {role: installation.start(role) for role in ("journey", "kpi", "sink")}
    now = time.time()

    def tell(event_id, seconds_ago, customer="goes-away"):
        at = datetime.datetime.fromtimestamp(now - seconds_ago, datetime.timezone.utc).isoformat()
        (tmp_path / "in.ndjson").write_text(json.dumps(
            {"event_id": event_id, "customer_id": customer, "source": "shop", "channel": "WEB", "occurred_at": at, "type": "SurveyAnswered",
             "data": {"survey_id": event_id, "kind": "NPS", "score": 0, "comment": "My lawyer will write to you"}}) + "\n")
        installation.succeed("import", tmp_path / "in.ndjson")

    def named():
        return [text for text in everything(installation).values() if "goes-away" in text]

    def answers():
        return json.loads(installation.redis.hget(installation.redis_prefix + "kpi:nps:24h", "all") or "{}").get("n")

    tell("in-time", 600)
    assert eventually(lambda: answers() == 1 and named()), installation.logs()
    installation.succeed("forget", "goes-away")
    assert eventually(lambda: not named()), named()
    assert installation.stop(services["journey"]) == 0
    installation.start("journey")
    tell("late", 500)
    tell("another", 400, "stays-here")
    assert eventually(lambda: answers() == 3), installation.logs()
    assert not named()
    assert len([record for record in installation.records("touchpoints.enriched") if record["customer_id"] == "goes-away"]) == 2


def test_who_is_not_heard_of_for_long_is_named_nowhere(make_installation, tmp_path):
    """journey.kept: of whom nothing comes any more everything that names them goes, as if somebody had asked for it; who was heard of since stays."""
    installation = make_installation(**{"journey.kept": "200d"})
    installation.start_route()
    now = time.time()
    answers = [{"event_id": "%s-%d" % (customer, days), "customer_id": customer, "source": "shop", "channel": "WEB", "type": "SurveyAnswered",
                "occurred_at": datetime.datetime.fromtimestamp(now - 86400 * days - 60, datetime.timezone.utc).isoformat(),
                "data": {"survey_id": "%s-%d" % (customer, days), "kind": "NPS", "score": 0, "comment": "My lawyer will write to you"}}
               for customer, days in (("goes-away", 210), ("goes-away", 201), ("stays-here", 210), ("stays-here", 199))]
    (tmp_path / "in.ndjson").write_text("".join(json.dumps(answer) + "\n" for answer in answers))
    installation.succeed("import", tmp_path / "in.ndjson")

    def named(customer):
        return {key[len(installation.redis_prefix):].split(":")[0] for key, text in everything(installation).items() if customer in text}

    assert eventually(lambda: {"customer", "journey"} <= named("stays-here") and not named("goes-away")
                      and len(installation.records("touchpoints.enriched")) == 4), (named("stays-here"), named("goes-away"))
    assert eventually(lambda: any(message.value() is None for message in installation.messages("journeys") if message.key() == b"goes-away")), installation.logs()
