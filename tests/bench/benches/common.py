"""What the benches share: an installation of their own under a topic prefix, processes that are started, waited for and
measured, and the table at the end."""
import collections
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

try:
    from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
    from confluent_kafka.admin import AdminClient, NewTopic
except ImportError:
    sys.exit("tests/bench/run: needs confluent-kafka: pip install -r tests/requirements.txt")

ROOT = pathlib.Path(__file__).resolve().parents[3]
TICKS = os.sysconf("SC_CLK_TCK")
PARTITIONS = 8


def number(text):
    factor = {"k": 1_000, "M": 1_000_000}.get(text[-1], 1)
    return int(float(text.rstrip("kM")) * factor)


def numbers(text):
    return [number(part) for part in text.split(",")]


def cpu_of(pid):
    fields = pathlib.Path("/proc/%d/stat" % pid).read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_of(pid):
    """Peak resident memory in MB."""
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path("/proc/%d/status" % pid).read_text()).group(1)) / 1024


class Bench:
    def __init__(self, options):
        self.options = options
        self.kafka, self.registry, self.redis = os.environ["KAFKA"], os.environ["REGISTRY"], os.environ.get("REDIS", "127.0.0.1:6379")
        self.build = pathlib.Path(options.build)
        self.program = self.build / "app" / "touchstream"
        self.admin = AdminClient({"bootstrap.servers": self.kafka})
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="touchstream-bench-"))
        self.rows = []
        self.prefixes = set()

    # --- saying

    def say(self, text):
        print(text, flush=True)

    def row(self, bench, what, figure, target="", verdict=None):
        """A line of the table at the end. verdict: True, False, or None where there is no target."""
        self.rows.append((bench, what, figure, target, {True: "yes", False: "NO", None: ""}[verdict]))
        self.say("  %-62s %-34s %-22s %s" % (what, figure, target, self.rows[-1][4]))

    def table(self):
        print("\n| bench | what | figure | target | met |\n|---|---|---|---|---|")
        for row in self.rows:
            print("| %s |" % " | ".join(row))

    # --- topics

    def config(self, prefix, **more):
        path = self.folder / (prefix + "yaml")
        settings = {"kafka.brokers": self.kafka, "registry.url": self.registry, "topics.prefix": prefix, "topics.partitions": PARTITIONS,
                    "redis.address": self.redis, "redis.prefix": prefix, "status.listen": "", "engine.instance": prefix + "0",
                    **{key.replace("__", "."): value for key, value in more.items()}}
        path.write_text("".join("%s: %s\n" % (key, json.dumps(value)) for key, value in settings.items()))
        return path

    def command(self, *arguments, config):
        subprocess.run([self.program, *map(str, arguments), "--config", config], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def topics_of(self, prefix):
        return [name for name in self.admin.list_topics(timeout=10).topics if name.startswith(prefix)]

    def delete_topics(self, names):
        for future in self.admin.delete_topics(names).values() if names else []:
            future.result(30)

    def delete(self, prefix):
        self.delete_topics(self.topics_of(prefix))
        self.delete_groups(prefix)

    def delete_groups(self, prefix):
        """Their offsets go with them. A group whose members have just left is not empty at once."""
        left, deadline = [prefix + name for name in ("journey", "kpi", "sink", "sink.news")], time.time() + 30
        while left:
            again = []
            for name, future in self.admin.delete_consumer_groups(left).items():
                try:
                    future.result(30)
                except KafkaException as error:
                    if error.args[0].code() != KafkaError.GROUP_ID_NOT_FOUND:
                        again.append(name)
            if again and time.time() > deadline:
                raise RuntimeError("groups that do not go away: " + ", ".join(again))
            left = again
            time.sleep(0.5 if left else 0)

    def make(self, prefix):
        """An installation of its own, empty."""
        self.delete(prefix)
        self.prefixes.add(prefix)
        time.sleep(1)
        self.command("topics", config=self.config(prefix))

    def fill(self, prefix, events, customers, *options):
        self.make(prefix)
        began = time.time()
        self.command("generate", "--seed", 1, "--events", events, "--customers", customers, *options, config=self.config(prefix))
        self.say("  generate: %d events of %d customers, %.0f a second" % (events, customers, events / (time.time() - began)))
        return self.ends(prefix + "touchpoints")

    def reset(self, prefix):
        """Empties everything but the input."""
        self.delete_topics([name for name in self.topics_of(prefix) if name != prefix + "touchpoints"])
        self.delete_groups(prefix)
        time.sleep(1)
        self.command("topics", config=self.config(prefix))

    def create_topic(self, name):
        self.admin.create_topics([NewTopic(name, PARTITIONS, 1)])[name].result(20)

    def ends(self, topic):
        consumer, deadline = Consumer({"bootstrap.servers": self.kafka, "group.id": "bench-ends"}), time.time() + 20
        try:
            while True:
                try:
                    found = self.admin.list_topics(topic, timeout=10).topics[topic].partitions
                    if found:
                        return [consumer.get_watermark_offsets(TopicPartition(topic, i), 10)[1] for i in sorted(found)]
                except KafkaException:  # a topic just made has no leaders yet
                    pass
                if time.time() > deadline:
                    raise RuntimeError("no answer about %s" % topic)
                time.sleep(0.5)
        finally:
            consumer.close()

    def ends_of_records(self, topic):
        """Behind the last record that a reader of committed ones gets: markers may follow, and what was begun as its writer was told to stop."""
        ends, last = self.ends(topic), collections.Counter()
        consumer = Consumer({"bootstrap.servers": self.kafka, "group.id": "bench-ends", "enable.partition.eof": True, "isolation.level": "read_committed"})
        try:
            consumer.assign([TopicPartition(topic, i, 0) for i in range(len(ends))])
            left = set(range(len(ends)))
            while left:
                for message in consumer.consume(10000, 1):
                    if not message.error():
                        last[message.partition()] = message.offset() + 1
                    elif message.error().code() == KafkaError._PARTITION_EOF:
                        left.discard(message.partition())
                    else:
                        raise KafkaException(message.error())
        finally:
            consumer.close()
        return [last[i] for i in range(len(ends))]

    def scan(self, topic):
        """Consume only, by bench-floor: how many records, how many bytes of keys and values."""
        return json.loads(subprocess.run([self.build / "tests" / "bench" / "bench-floor", self.kafka, topic], check=True, capture_output=True, text=True).stdout)

    # --- processes

    def start(self, role, config, *services):
        return subprocess.Popen([self.program, role, *services, "--config", config], stdout=subprocess.DEVNULL, stderr=open(self.folder / (role + ".log"), "ab"))

    def stop(self, *processes):
        for process in processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait(60)

    def wait_for(self, group, topic, ends, processes, seconds=900):
        """Until the group has committed all that the topic held."""
        consumer = Consumer({"bootstrap.servers": self.kafka, "group.id": group})
        places = [TopicPartition(topic, i) for i in range(PARTITIONS)]
        deadline = time.time() + seconds
        try:
            while any(place.offset < end for place, end in zip(consumer.committed(places, timeout=10), ends)):
                if any(process.poll() is not None for process in processes) or time.time() > deadline:
                    raise RuntimeError("%s did not get through %s; logs in %s" % (group, topic, self.folder))
                time.sleep(0.1)
        finally:
            consumer.close()

    def drain(self, prefix, ends, threads=1, is_one_process=False, **settings):
        """Journey and kpi, a process each or both in one, from nothing, until both have committed all of their input."""
        config = self.config(prefix, engine__threads=threads, **settings)
        began = time.time()
        if is_one_process:
            roles = {"run": self.start("run", config, "journey", "kpi")}
        else:
            roles = {role: self.start(role, config) for role in ("journey", "kpi")}
        try:
            self.wait_for(prefix + "journey", prefix + "touchpoints", ends, roles.values())
            self.wait_for(prefix + "kpi", prefix + "kpi.deltas", self.ends(prefix + "kpi.deltas"), roles.values())
            wall = time.time() - began
            used = {role: (cpu_of(process.pid), peak_of(process.pid)) for role, process in roles.items()}
        finally:
            self.stop(*roles.values())
        return {"wall": wall, "cpu": sum(cpu for cpu, _ in used.values()), "peak": sum(peak for _, peak in used.values()), "roles": used}

    def clean(self):
        if not self.options.keep:
            for prefix in self.prefixes:
                self.delete(prefix)


def slope(rows):
    """CPU seconds per million events between the first and the last count: start-up falls out."""
    first, last = rows[0], rows[-1]
    if first["events"] == last["events"]:
        return last["cpu"] / last["events"] * 1e6
    return (last["cpu"] - first["cpu"]) / (last["events"] - first["events"]) * 1e6
