"""Processes that are killed, frozen and sent away while events pour in, and the judgement afterwards."""

import os
import random
import signal
import threading
import time
import uuid

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from installation import Installation, eventually, patience
from judge import EMPTY, EXACT, differences_of, instant_of, listing
from oracle import event_from_avro
from test_route import ALL_KPIS, OF_LABELS, judge_of

GROUPS = {"journey": "touchpoints", "kpi": "kpi.deltas"}
PATIENCE_S = int(os.environ.get("PATIENCE", "180"))  # for what takes seconds: the watch of last resort, and a slow machine
SHORT_SESSION = {"engine.session_timeout": "6s", "engine.transaction_timeout": "10s", "engine.checkpoint_interval": "5s"}


class Traffic:
    """`generate` in real time, again and again with other seeds: what it cannot deliver is not in the log, and the log is the truth."""

    def __init__(self, installation, rate=250):
        self.installation, self.rate, self.is_over, self.process = installation, rate, False, None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        seed = 0
        while not self.is_over:
            seed += 1
            self.process = self.installation.start("generate", "--events", 4 * self.rate, "--customers", 200, "--seed", seed, "--rate",
                                                   self.rate, "--disorder", "0s", "--duplicates", "0")
            self.process.wait()
            self.installation.running.remove(self.process)

    def finish(self):
        self.is_over = True
        self.thread.join(60 * patience())
        assert not self.thread.is_alive(), "the traffic does not end"


def flows(installation, more=500):
    """So many events more have come out than when it was asked."""
    count = lambda: len(installation.messages("touchpoints.enriched"))
    before = count()
    assert eventually(lambda: count() > before + more, 60), installation.logs()


class Crew:
    """The processes of an installation by name, each of which can go and come back."""

    def __init__(self, installation, names, settings=None, within=None):
        self.installation, self.settings, self.processes, self.within = installation, settings or {}, {}, within or {}
        for name in names:
            self.start(name)

    def start(self, name):
        role = name.rstrip("0123456789")
        own = {**self.settings, **({"engine.instance": name} if role in GROUPS else {})}
        self.processes[name] = self.installation.start(role, name=name, settings=own, within=self.within.get(name, ()))

    def end(self, name, how=signal.SIGKILL):
        self.installation.stop(self.processes.pop(name), how, 60)

    def complains_of_nothing(self):
        """An outage is no mistake of the operator's."""
        for name, process in self.processes.items():
            assert "level=error" not in process.log.read_text(), "%s complains\n%s" % (name, process.log.read_text()[-4000:])

    def freeze(self, name, seconds):
        process = self.processes[name]
        process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        process.send_signal(signal.SIGCONT)

    def storm(self, kills, seed, joins=(), pause_s=(0.3, 2.5), freezes=1, freeze_s=9):
        """One after the other is killed, or asked to leave (one in five), or frozen beyond its session, until so many were killed. Those
        named in `joins` come and go too. Answers how often what was done."""
        chance, done = random.Random(seed), {"killed": 0, "left": 0, "joined": 0, "frozen": 0}
        when_frozen = set(chance.sample(range(kills), min(freezes, kills)))
        while done["killed"] < kills:
            time.sleep(chance.uniform(*pause_s))
            away = [name for name in joins if name not in self.processes]
            if away and chance.random() < 0.5:
                self.start(chance.choice(away))
                done["joined"] += 1
            name = chance.choice(sorted(self.processes))
            if done["killed"] in when_frozen:
                when_frozen.remove(done["killed"])
                self.freeze(chance.choice([one for one in sorted(self.processes) if one.rstrip("0123456789") in GROUPS]), freeze_s)
                done["frozen"] += 1
                continue
            is_asked = chance.random() < 0.2
            self.end(name, signal.SIGTERM if is_asked else signal.SIGKILL)
            done["left" if is_asked else "killed"] += 1
            if name not in joins:
                self.start(name)
        return done


# --- the judgement

def is_caught_up(installation, role, seconds=PATIENCE_S):
    """Has the group committed up to where its input ends now, within so many seconds? Ticks go on, so the end is asked for first. Each time
    by a new client: one that was made while the broker was just coming back may never hear of the group's coordinator."""
    places = [TopicPartition(installation.topic(GROUPS[role]), number) for number in range(installation.settings["topics.partitions"])]
    ends = []

    def is_there():
        consumer = Consumer({"bootstrap.servers": installation.services["KAFKA"], "group.id": installation.prefix + role,
                             "enable.auto.commit": False})
        try:  # a broker that has just come back may not be its partitions' leader yet
            if not ends:
                ends.extend([consumer.get_watermark_offsets(place, 10)[1] for place in places])
            return all(done.offset >= end for done, end in zip(consumer.committed(places, 10), ends) if end > 0)
        except KafkaException:
            return False
        finally:
            consumer.close()
    return eventually(is_there, seconds, 0.5)


def by_key(installation, topic):
    """{key: [value without the schema's id, …]} in the order of the log."""
    found = {}
    for message in installation.messages(topic):
        found.setdefault(message.key(), []).append(message.value() and message.value()[5:])
    return found


def copy_input(source, target):
    """touchpoints as they are, ticks and times included, so that another installation lives through the same."""
    producer = Producer({"bootstrap.servers": source.services["KAFKA"], "linger.ms": 20, "enable.idempotence": True})
    for message in source.messages("touchpoints"):
        producer.produce(target.topic("touchpoints"), key=message.key(), value=message.value(), partition=message.partition(),
                         timestamp=message.timestamp()[1])
        producer.poll(0)
    assert producer.flush(60) == 0


def hold_to_the_undisturbed(installation):
    """The same log, read by a process that nobody disturbs, gives the same outputs, byte for byte and in the same order for each key. The
    first one's clock may have gone on since the copy was made: it may have said more by now, but only at the end."""
    calm = Installation("calm" + uuid.uuid4().hex[:8], installation.services, installation.program,
                        installation.folder / "calm", {**installation.settings, "topics.prefix": "", "redis.prefix": "", "engine.tick_after": "0s"})
    calm.write_config({**calm.settings, "topics.prefix": calm.prefix, "redis.prefix": calm.redis_prefix})
    try:
        calm.succeed("topics")
        copy_input(installation, calm)
        calm.start("journey")
        assert is_caught_up(calm, "journey"), calm.logs()
        for topic in ("touchpoints.enriched", "alerts", "followups"):
            stormy, quiet = by_key(installation, topic), by_key(calm, topic)
            assert stormy or topic != "touchpoints.enriched"
            for key, said in quiet.items():
                assert stormy.get(key, [])[:len(said)] == said, "%s of %r differ: %d in the storm, %d in the quiet" % (
                    topic, key, len(stormy.get(key, [])), len(said))
    finally:
        calm.finish()


def right_in_the_end(judge, published, wrong):
    """Of values that are wrong for the instant they carry, those that are wrong now, too. In a storm the partitions' clocks are seconds
    apart; a value carries the slowest one's, and may hold what the others have seen since. When nothing comes after, it stays as it is."""
    now = max(instant_of(record) for record in published.values())
    expected = judge.expected(now, {key for key, _, _ in wrong}) if wrong else {}
    still = []
    for key, at, fields in wrong:
        record = published.get(key)
        if record is None or any(field in EXACT and field in record for field, _, _ in differences_of(key, expected.get(key, EMPTY), record)):
            still.append((key, at, fields))
    return still


def hold_to_the_oracle(installation):
    judge, wrong = judge_of(installation), []
    skip = lambda key: key[1].startswith("stage=")  # READINGS 13: may depend on the order of arrival
    for read in (installation.kpis, installation.redis_kpis):
        def equal():
            published = read()
            wrong[:] = right_in_the_end(judge, published, judge.differences(published, ALL_KPIS - OF_LABELS, skip=skip))
            return not wrong
        assert eventually(equal, PATIENCE_S, 2), "%s: %s\n%s" % (read.__name__, listing(wrong), installation.logs())


def every_revision_once(installation):
    """Of the kpi stage's alerts, too, which the undisturbed journey stage knows nothing of."""
    revisions = {}
    for alert in installation.records("alerts"):
        revisions.setdefault(alert["alert_id"], []).append(alert["revision"])
    wrong = {id: told for id, told in revisions.items() if told != list(range(1, len(told) + 1))}
    assert not wrong, wrong


def judge_all(installation):
    """Nothing lost, nothing twice, every number right. Answers (events, kept once)."""
    for role in GROUPS:
        assert is_caught_up(installation, role), "%s does not catch up\n%s" % (role, installation.logs())
    told = [(event["customer_id"], event["event_id"]) for event in map(event_from_avro, installation.records("touchpoints"))]
    once = [(event["customer_id"], event["event_id"]) for event in map(event_from_avro, installation.records("touchpoints.enriched"))]
    assert len(once) == len(set(once)), "%d events came out twice\n%s" % (len(once) - len(set(once)), installation.logs())
    missing = set(told) - set(once)
    assert set(once) == set(told), "%d of %d events have no output\n%s" % (len(missing), len(set(told)), installation.logs())
    hold_to_the_undisturbed(installation)
    every_revision_once(installation)
    hold_to_the_oracle(installation)
    return len(told), len(once)
