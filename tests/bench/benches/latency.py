"""From a touchpoint being sent (to Kafka) until Redis tells of it: the alert it makes hot, and a KPI it counts in, at 25, 50 and 75 % load.

Load is `generate --rate`. 100 % is --capacity events a second, or else the highest rate that the live route holds with everything on these
cores: after HOLD_SECONDS of it neither journey, kpi nor sink has more than BEHIND_SECONDS of its input waiting. A route that is short of
a rate by a twelfth has piled up so much by then. (What it drains from a backlog is more: then KPIs leave every ten seconds, in large transactions.)

A probe is a customer nobody else uses, whose words are of the law and whose product is new: its case comes by ts:live:alerts,
and csat for that product is looked for in ts:kpi:csat:24h every few milliseconds."""
import json
import threading
import time
import uuid

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
import redis
import subprocess

from benches.common import cpu_of, number

PROBES_A_SECOND = 10
FIRST_RATE, FINEST_STEP = 8000, 1.13
SETTLE_SECONDS, HOLD_SECONDS, BEHIND_SECONDS, SENT_SHARE, IDLE_RECORDS = 3, 12, 1.0, 0.97, 2000


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] * 1000 if values else float("nan")


def histogram(values):
    bounds = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 1e9]
    counts = [0] * len(bounds)
    for value in values:
        counts[next(i for i, bound in enumerate(bounds) if value * 1000 <= bound)] += 1
    return " ".join("<=%s:%d" % (("%d" % bound) if bound < 1e9 else "more", count) for bound, count in zip(bounds, counts) if count)


class Probes:
    def __init__(self, bench, prefix):
        self.topic, self.prefix = prefix + "touchpoints", prefix
        host, port = bench.redis.rsplit(":", 1)
        self.redis = redis.Redis(host, int(port), decode_responses=True)
        registry = SchemaRegistryClient({"url": bench.registry})
        schema = registry.get_latest_version(self.topic + "-value").schema.schema_str
        self.serializer = AvroSerializer(registry, schema, conf={"auto.register.schemas": False})
        self.producer = Producer({"bootstrap.servers": bench.kafka, "partitioner": "murmur2_random", "linger.ms": 0})
        self.sent, self.alerts, self.kpis = {}, {}, {}
        self.is_over = False
        for work in (self.listen, self.poll):
            threading.Thread(target=work, daemon=True).start()

    def listen(self):
        listening = self.redis.pubsub()
        listening.subscribe(self.prefix + "live:alerts")
        while not self.is_over:
            message = listening.get_message(ignore_subscribe_messages=True, timeout=0.2)
            if message and "probe-" in message["data"]:
                self.alerts.setdefault(json.loads(message["data"])["customer_id"], time.monotonic())

    def poll(self):
        """Not by ts:live:kpis: thousands a second come there, and Python would be what is measured."""
        while not self.is_over:
            waiting = [name for name in list(self.sent) if name not in self.kpis][-200:]
            there = self.redis.hmget(self.prefix + "kpi:csat:24h", ["product=" + name for name in waiting]) if waiting else []
            now = time.monotonic()
            for name, value in zip(waiting, there):
                if value:
                    self.kpis[name] = now
            time.sleep(0.003)

    def send(self, run, number):
        name, now_ms = "probe-%s-%d" % (run, number), int(time.time() * 1000)
        record = {"event_id": uuid.uuid4().bytes, "customer_id": name, "occurred_at": now_ms, "received_at": now_ms, "source": "bench", "channel": "EMAIL",
                  "product": name, "segment": None, "region": None, "attributes": {},
                  "body": ("touchstream.SurveyAnswered", {"survey_id": name, "kind": "CSAT", "score": 1, "about": None,
                                                         "comment": "This is terrible, my lawyer will sue you for it. I cancel everything."})}
        value = self.serializer(record, SerializationContext(self.topic, MessageField.VALUE))
        self.sent[name] = time.monotonic()
        self.producer.produce(self.topic, key=name, value=value)
        self.producer.poll(0)

    def run(self, run, seconds):
        began = time.monotonic()
        for i in range(seconds * PROBES_A_SECOND):
            time.sleep(max(0, began + i / PROBES_A_SECOND - time.monotonic()))
            self.send(run, i)
        self.producer.flush(10)
        deadline = time.monotonic() + 20
        mine = [name for name in self.sent if name.startswith("probe-%s-" % run)]
        while time.monotonic() < deadline and not all(name in self.alerts and name in self.kpis for name in mine):
            time.sleep(0.1)
        return [[seen[name] - self.sent[name] for name in mine if name in seen] for seen in (self.alerts, self.kpis)], len(mine)


def run(bench):
    prefix = "bench-latency."
    forget(bench, prefix)
    bench.make(prefix)
    config = bench.config(prefix)
    roles = [bench.start(role, config) for role in ("journey", "kpi", "sink")]
    probes, standing = Probes(bench, prefix), Standing(bench, prefix, roles)
    try:
        probes.run("warm", 5)
        capacity = number(bench.options.capacity) if bench.options.capacity else measure_capacity(bench, config, standing)
        for share in (25, 50, 75):
            at_load(bench, config, probes, standing, share, int(capacity * share / 100))
    finally:
        probes.is_over = True
        bench.stop(*roles)
        forget(bench, prefix)


def at_load(bench, config, probes, standing, share, rate):
    with Load(bench, config, rate):
        time.sleep(5)
        used, began = [cpu_of(role.pid) for role in standing.roles], time.monotonic()
        (alerts, kpis), count = probes.run(str(share), bench.options.seconds)
        used = [(cpu_of(role.pid) - before) / (time.monotonic() - began) * 100 for role, before in zip(standing.roles, used)]
    standing.wait_until_idle()
    for what, times, limit_ms in (("hot ticket", alerts, 100), ("KPI", kpis, 1200)):
        p99 = percentile(times, 0.99)
        bench.row("latency", "%d %% load (%d/s): %s, p50 / p99" % (share, rate, what), "%.0f / %.0f ms (%d of %d)" % (percentile(times, 0.5), p99, len(times), count),
                  "p99 <= %d ms" % limit_ms if share == 50 else "", p99 <= limit_ms if share == 50 else None)
        bench.say("    " + histogram(times))
    bench.say("    journey, kpi, sink: %s %% of a core" % ", ".join("%.0f" % one for one in used))


class Load:
    """Traffic at an even rate, from when the block is entered until it is left."""

    def __init__(self, bench, config, rate):
        self.command = [bench.program, "generate", "--rate", str(rate), "--events", str(rate * 600), "--customers", bench.options.customers, "--mix", "peers",
                        "--config", config]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)


class Standing:
    """How far the route is behind: journey and kpi by their own word in `health`, the sink by its positions."""

    TOPICS = ("touchpoints", "touchpoints.enriched", "alerts", "followups", "kpi.deltas", "kpis")

    def __init__(self, bench, prefix, roles):
        self.bench, self.prefix, self.roles, self.database = bench, prefix, roles, database_of(bench)
        self.consumer = Consumer({"bootstrap.servers": bench.kafka, "group.id": "bench-standing"})  # of no group: it only asks
        topics = bench.admin.list_topics(timeout=10).topics
        self.places = {topic: [TopicPartition(prefix + topic, i) for i in sorted(topics[prefix + topic].partitions)] for topic in self.TOPICS}

    def look(self):
        if any(role.poll() is not None for role in self.roles):
            raise RuntimeError("a service has ended; logs in %s" % self.bench.folder)
        now, waiting = time.monotonic(), {}
        ends = {topic: [self.consumer.get_watermark_offsets(place, 10)[1] for place in places] for topic, places in self.places.items()}
        for topic in ("touchpoints.enriched", "alerts", "followups", "kpis"):
            places = self.database.mget([self.prefix + "position:%s:%d" % (topic, i) for i in range(len(ends[topic]))])
            waiting[topic] = sum(max(0, end - int(place or 0)) for end, place in zip(ends[topic], places))
        for key, value in self.database.hgetall(self.prefix + "health").items():
            if b":" in key:  # SERVICE:INSTANCE
                waiting["touchpoints" if key.startswith(b"journey") else "kpi.deltas"] = json.loads(value).get("lag") or 0
        return now, {topic: sum(of) for topic, of in ends.items()}, waiting

    def wait_until_idle(self):
        deadline = time.monotonic() + 90
        while max(self.look()[2].values()) > IDLE_RECORDS:
            if time.monotonic() > deadline:
                raise RuntimeError("what piled up does not go away; logs in %s" % self.bench.folder)
            time.sleep(0.5)


def measure_capacity(bench, config, standing):
    """100 %: the highest rate that holds (see the top). Steps of half as much again until one does not, then two halvings of the ratio."""
    holding, failing = 0, None
    rate = FIRST_RATE
    while not (holding and failing and failing / holding <= FINEST_STEP):
        if holds(bench, config, standing, rate):
            holding = rate
        elif holding == 0 and rate < 500:
            raise RuntimeError("not even %d events a second" % rate)
        else:
            failing = rate
        rate = int(rate / 2 if holding == 0 else holding * 1.5 if failing is None else (holding * failing) ** 0.5)
    bench.row("latency", "100 %%: the most that does not pile up (%d a second did)" % failing, "%d events/s" % holding)
    return holding


def holds(bench, config, standing, rate):
    """Does every part, at the end of HOLD_SECONDS of this rate, have less than BEHIND_SECONDS of its input waiting, and does the sender get it off?"""
    with Load(bench, config, rate):
        time.sleep(SETTLE_SECONDS)
        began, first, _ = standing.look()
        looks = []
        while time.monotonic() - began < HOLD_SECONDS:
            time.sleep(1)
            looks.append(standing.look())
    now, ends, _ = looks[-1]
    flow = {topic: (ends[topic] - first[topic]) / (now - began) for topic in ends}
    # The middle one of the last three looks: a value's moment of the second may just have been.
    behind = {topic: sorted(look[2].get(topic, 0) for look in looks[-3:])[1] / max(flow[topic], 1) for topic in flow if flow[topic] >= rate / 1000}
    worst = max(behind, key=behind.get)
    is_held = behind[worst] < BEHIND_SECONDS and flow["touchpoints"] > SENT_SHARE * rate
    bench.say("    %6d a second: %s; sent %.0f a second, most behind with %s, %.1f s" % (rate, "holds" if is_held else "piles up", flow["touchpoints"], worst, behind[worst]))
    standing.wait_until_idle()
    return is_held


def database_of(bench):
    host, port = bench.redis.rsplit(":", 1)
    return redis.Redis(host, int(port))


def forget(bench, prefix):
    database = database_of(bench)
    keys = list(database.scan_iter(prefix + "*", count=10000))
    for i in range(0, len(keys), 1000):
        database.unlink(*keys[i:i + 1000])
