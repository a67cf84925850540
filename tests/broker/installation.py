"""One installation of touchstream under its own prefixes, driven from outside and read by clients that are not ours."""

import collections
import io
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import time

import fastavro
import redis
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext


WORKERS_MOST = 16  # of pytest-xdist
HANDED_OUT = collections.deque(maxlen=300)


def free_port():
    """One below the range that the system hands to outgoing connections: they could take it before we listen there. So could another test that looks
    for one, of this process or of another, and some listen only after a while: each process has ports of its own, and hands out none again soon."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS_MOST
    while True:
        port = random.randrange(10000 + worker, 20000, WORKERS_MOST)
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in HANDED_OUT:
            HANDED_OUT.append(port)
            return port


def patience():
    """How many times longer than on a quiet machine of ours things may take on this one, now."""
    return min(4, max(2, os.getloadavg()[0] / os.cpu_count()))


def eventually(condition, seconds=60, pause=0.25):
    """Waits for a condition to hold; answers its last value either way. The load is a mean of a minute: what comes meanwhile counts, too."""
    began, patient = time.monotonic(), patience()
    while True:
        value = condition()
        patient = max(patient, patience())
        if value or time.monotonic() > began + seconds * patient:
            return value
        time.sleep(pause)


class Installation:
    def __init__(self, name, services, program, folder, settings):
        self.name, self.services, self.program, self.folder = name, services, program, folder
        self.prefix, self.redis_prefix = name + ".", name + ":"
        folder.mkdir(parents=True)
        self.config = folder / "touchstream.yaml"
        self.settings = {
            "kafka.brokers": services["KAFKA"],
            "registry.url": services["REGISTRY"],
            "redis.address": services["REDIS"],
            "redis.prefix": self.redis_prefix,
            "topics.prefix": self.prefix,
            "topics.partitions": 4,
            "journey.revision_horizon": "5000d",
            "status.listen": "",
            **settings,
        }
        self.write_config(self.settings)
        self.running, self.schemas = [], {}
        self.registry = SchemaRegistryClient({"url": services["REGISTRY"]})
        self.deserializer = AvroDeserializer(self.registry, return_record_name=True)
        host, port = services["REDIS"].split(":")
        self.redis = redis.Redis(host, int(port), decode_responses=True)

    # --- the program

    def write_config(self, settings):
        self.config.write_text("".join("%s: %s\n" % (key, json.dumps(value)) for key, value in settings.items()))

    def run(self, command, *arguments, timeout=120, environment=None, **how):
        """Runs a command to its end: a CompletedProcess with text output."""
        return subprocess.run([self.program, command, "--config", str(self.config), *map(str, arguments)],
                              capture_output=True, text=True, errors="replace", timeout=timeout * patience(),
                              env={**os.environ, **(environment or {})}, **how)

    def succeed(self, command, *arguments, **how):
        done = self.run(command, *arguments, **how)
        assert done.returncode == 0, "%s %s: exit %d\n%s" % (command, arguments, done.returncode, done.stderr[-4000:])
        return done

    def start(self, command, *arguments, name=None, settings=None, within=()):
        """Starts a service in the background, `within` another command's environment if need be; finish() or stop() ends it."""
        log = self.folder / ("%s.log" % (name or command))
        config = self.config
        if settings:
            config = self.folder / ("%s.yaml" % (name or command))
            config.write_text("".join("%s: %s\n" % (key, json.dumps(value)) for key, value in {**self.settings, **settings}.items()))
        with open(log, "ab") as out:
            process = subprocess.Popen([*within, self.program, command, "--config", str(config), *map(str, arguments)],
                                       stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        process.log = log
        self.running.append(process)
        return process

    def stop(self, process, how=signal.SIGTERM, seconds=20):
        if process.poll() is None:
            process.send_signal(how)
            try:
                process.wait(seconds * patience())
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)
                raise AssertionError("did not end within %d s of %s; its log ends:\n%s" % (seconds, how, tail(process.log)))
        if process in self.running:
            self.running.remove(process)
        return process.returncode

    def start_route(self, roles=("journey", "kpi", "sink")):
        return [self.start(role) for role in roles]

    def logs(self):
        return "\n".join("== %s\n%s" % (log.name, tail(log)) for log in sorted(self.folder.glob("*.log")))

    # --- Kafka

    def topic(self, name):
        return self.prefix + name

    def own_topics(self, admin):
        return [topic for topic in admin.list_topics(timeout=10).topics if topic.startswith(self.prefix)]

    def keep_the_past(self):
        """Kafka deletes by date: of events a hundred days old that are generated now, it could delete some before a test has read them."""
        admin = AdminClient({"bootstrap.servers": self.services["KAFKA"]})
        for_ever = ConfigEntry("retention.ms", "-1", incremental_operation=AlterConfigOpType.SET)
        changes = [ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[for_ever]) for topic in self.own_topics(admin)]
        for done in admin.incremental_alter_configs(changes).values():
            done.result(20)

    def consumer(self, isolation="read_committed"):
        return Consumer({"bootstrap.servers": self.services["KAFKA"], "group.id": self.prefix + "tests",
                         "enable.auto.commit": False, "auto.offset.reset": "earliest", "isolation.level": isolation,
                         "enable.partition.eof": True, "fetch.wait.max.ms": 10})

    def messages(self, topic, seconds=60):
        """Every message of a topic up to its present end, in (partition, offset) order."""
        consumer, found = self.consumer(), []
        try:
            metadata = consumer.list_topics(self.topic(topic), 10).topics[self.topic(topic)]
            open_partitions = set(metadata.partitions)
            consumer.assign([TopicPartition(self.topic(topic), partition, 0) for partition in open_partitions])
            deadline = time.monotonic() + seconds * patience()
            while open_partitions:
                assert time.monotonic() < deadline, "reading %s took over %d s" % (topic, seconds)
                for message in consumer.consume(5000, 0.05):
                    if message.error():
                        open_partitions.discard(message.partition())  # its end
                    else:
                        found.append(message)
        finally:
            consumer.close()
        return sorted(found, key=lambda message: (message.partition(), message.offset()))

    def deserialized(self, topic):
        """Every record of a topic, as confluent-kafka's AvroDeserializer gives it."""
        context = SerializationContext(self.topic(topic), MessageField.VALUE)
        return [self.deserializer(message.value(), context) for message in self.messages(topic) if message.value() is not None]

    def decode(self, value):
        """The same by fastavro alone, which is several times as fast: for the bulk of the tests."""
        assert value[0] == 0, "not the Confluent wire format: %r" % value[:8]
        id = int.from_bytes(value[1:5], "big")
        if id not in self.schemas:
            self.schemas[id] = fastavro.parse_schema(json.loads(self.registry.get_schema(id).schema_str))
        return fastavro.schemaless_reader(io.BytesIO(value[5:]), self.schemas[id], return_record_name=True)

    def records(self, topic):
        """Every record of a topic; ticks and tombstones are left out."""
        return [self.decode(message.value()) for message in self.messages(topic) if message.value() is not None]

    def rejected(self):
        """The rejected records in the order in which Kafka got them."""
        arrived = sorted(self.messages("touchpoints.rejected"), key=lambda message: message.timestamp()[1])
        return [self.decode(message.value()) for message in arrived]

    def latest(self, topic):
        """{key: decoded value} of a compacted topic."""
        found = {}
        for message in self.messages(topic):
            found.pop(message.key(), None)
            if message.value() is not None:
                found[message.key()] = message
        return {key: self.decode(message.value()) for key, message in found.items()}

    def latest_alerts(self):
        """{alert id: its last revision}"""
        return {alert["alert_id"]: alert for alert in self.records("alerts")}

    def kpis(self):
        """{(kpi, dimension, window): record} as the topic has them now."""
        found = {}
        for record in self.latest("kpis").values():
            found[record["kpi"], record["dimension"], record["window"]] = record
        return found

    # --- Redis

    def redis_kpis(self):
        found = {}
        for key in self.redis.scan_iter(self.redis_prefix + "kpi:*", 1000):
            kpi, window = key[len(self.redis_prefix) + 4:].rsplit(":", 1)
            for dimension, text in self.redis.hgetall(key).items():
                found[kpi, dimension, window] = json.loads(text)
        return found

    # --- the end

    def finish(self):
        for process in list(self.running):
            if process.poll() is None:
                process.kill()
                process.wait(10)
        self.running.clear()
        admin = AdminClient({"bootstrap.servers": self.services["KAFKA"]})
        try:
            mine = self.own_topics(admin)
            for future in admin.delete_topics(mine).values() if mine else []:
                future.result(20)
            keys = list(self.redis.scan_iter(self.redis_prefix + "*", 1000))
            if keys:
                self.redis.delete(*keys)
        except Exception as error:  # the test is over: a service that a test took away must not fail it now
            print("clean-up:", error)


def tail(path, size=1500):
    """The end of a log; only the end of a CI run's output is seen, so this must be short."""
    return pathlib.Path(path).read_bytes()[-size:].decode("utf-8", "replace")
