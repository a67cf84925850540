"""From a touchpoint being sent (to Kafka) until Redis tells of it: the alert it makes hot, and a KPI it counts in, at 25, 50 and 75 % load.

Load is `generate --rate`; 100 % is --capacity events a second, or what journey + kpi + sink drain here with everything on these cores.
A probe is a customer nobody else uses, whose words are of the law and whose product is new: its case comes by ts:live:alerts,
and csat for that product is looked for in ts:kpi:csat:24h every few milliseconds."""
import json
import threading
import time
import uuid

from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
import redis
import subprocess

from benches.common import PARTITIONS, cpu_of, number

PROBES_A_SECOND = 5
CAPACITY_SECONDS = 45


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
    capacity = number(bench.options.capacity) if bench.options.capacity else measure_capacity(bench, prefix)
    bench.make(prefix)
    config = bench.config(prefix)
    roles = [bench.start(role, config) for role in ("journey", "kpi", "sink")]
    probes = Probes(bench, prefix)
    try:
        probes.run("warm", 5)
        for share in (25, 50, 75):
            rate = int(capacity * share / 100)
            load = subprocess.Popen([bench.program, "generate", "--rate", str(rate), "--events", str(rate * 600), "--customers", bench.options.customers, "--mix", "peers",
                                     "--config", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                time.sleep(5)
                used, began = [cpu_of(role.pid) for role in roles], time.monotonic()
                (alerts, kpis), count = probes.run(str(share), bench.options.seconds)
                used = [(cpu_of(role.pid) - before) / (time.monotonic() - began) * 100 for role, before in zip(roles, used)]
                health = {key: json.loads(value) for key, value in probes.redis.hgetall(prefix + "health").items()}
            finally:
                load.terminate()
                load.wait(30)
            time.sleep(2)
            p99_hot, p99_kpi = percentile(alerts, 0.99), percentile(kpis, 0.99)
            bench.row("latency", "%d %% load (%d/s): hot ticket, p50 / p99" % (share, rate), "%.0f / %.0f ms (%d of %d)" % (percentile(alerts, 0.5), p99_hot, len(alerts), count),
                      "p99 <= 100 ms" if share == 50 else "", p99_hot <= 100 if share == 50 else None)
            bench.say("    " + histogram(alerts))
            bench.row("latency", "%d %% load (%d/s): KPI, p50 / p99" % (share, rate), "%.0f / %.0f ms (%d of %d)" % (percentile(kpis, 0.5), p99_kpi, len(kpis), count),
                      "p99 <= 1200 ms" if share == 50 else "", p99_kpi <= 1200 if share == 50 else None)
            bench.say("    " + histogram(kpis))
            bench.say("    journey, kpi, sink: %s %% of a core; behind: %s" % (", ".join("%.0f" % one for one in used), ", ".join(
                "%s %s" % (key, value.get("lag", value.get("behind_ms"))) for key, value in health.items())))
    finally:
        probes.is_over = True
        bench.stop(*roles)
        forget(bench, prefix)


def measure_capacity(bench, prefix):
    """Events a second that the three services drain together from a backlog: those that have reached Redis, from the first of them, for
    CAPACITY_SECONDS at most. A topic's end is no goal: behind the last record may be markers of transactions."""
    events = 300_000
    forget(bench, prefix)
    bench.fill(prefix, events, number(bench.options.customers), "--mix", "peers")
    database = database_of(bench)
    names = [prefix + "position:touchpoints.enriched:%d" % i for i in range(PARTITIONS)]
    roles = [bench.start(role, bench.config(prefix)) for role in ("journey", "kpi", "sink")]
    began, counted, told = time.time(), None, 0.0
    try:
        while True:
            now, done = time.time(), sum(int(place or 0) for place in database.mget(names))
            counted = (now, done) if counted is None and done else counted
            if now - told >= 5:
                told = now
                bench.say("    %3.0f s: %d of %d events in Redis" % (now - began, done, events))
            if any(role.poll() is not None for role in roles):
                raise RuntimeError("a service has ended; logs in %s" % bench.folder)
            if done >= events * 0.95 or now - began > CAPACITY_SECONDS:
                break
            time.sleep(0.05)
    finally:
        bench.stop(*roles)
        forget(bench, prefix)
    if counted is None or done == counted[1]:
        raise RuntimeError("nothing reached Redis within %d s; logs in %s" % (CAPACITY_SECONDS, bench.folder))
    rate = (done - counted[1]) / (now - counted[0])
    bench.row("latency", "100 %: journey + kpi + sink from a backlog", "%.0f events/s" % rate)
    return rate


def database_of(bench):
    host, port = bench.redis.rsplit(":", 1)
    return redis.Redis(host, int(port))


def forget(bench, prefix):
    database = database_of(bench)
    keys = list(database.scan_iter(prefix + "*", count=10000))
    for i in range(0, len(keys), 1000):
        database.unlink(*keys[i:i + 1000])
