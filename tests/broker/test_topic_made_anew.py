"""An input topic, or one that holds a processor's state, is deleted and made anew, while the processor runs or rests: it ends and says so, passes over
nothing, refuses to start on what does not belong together any more, and the remedy of docs/RELIABILITY.md works."""

import json
import re
import socket
import struct
import subprocess
import time

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from installation import eventually, patience, tail
from test_notifying import members

ANEW = re.compile(r'level=error .*topic was deleted and made anew.*error="(\S+) has the id (\S+), our state is of (\S+)"')
CHECKPOINTS = [("journey", "journeys"), ("kpi", "kpi.state")]
REMEDY = "touchpoints.enriched journeys alerts alerts.escalated followups kpi.deltas kpis trend.shifts kpi.state".split()


def delete(installation, *topics, groups=()):
    admin = AdminClient({"bootstrap.servers": installation.services["KAFKA"]})
    for future in admin.delete_topics([installation.topic(name) for name in topics]).values():
        future.result(20)
    for group in groups:
        assert eventually(lambda: is_done(lambda: admin.delete_consumer_groups([installation.topic(group)])[installation.topic(group)].result(20)), 30)
    assert eventually(lambda: not set(map(installation.topic, topics)) & set(admin.list_topics(timeout=10).topics), 20)


def is_done(do):
    """A group whose members have a name of their own has them until their sessions are over."""
    try:
        do()
    except KafkaException:
        return False
    return True


def enriched(installation):
    return len(installation.messages("touchpoints.enriched"))


def generate(installation, events, seed, customers=20):
    installation.succeed("generate", "--events", events, "--customers", customers, "--seed", seed)


def run_through(installation, events):
    process = installation.start("journey", name="journey-first")
    generate(installation, events, 3, customers=30)
    assert eventually(lambda: enriched(installation) == events, 30), tail(process.log)
    return process


def wait_for_end(installation, process, topic="touchpoints"):
    """In time, with 1, and the log names the topic."""
    assert eventually(lambda: process.poll() is not None, 20), tail(process.log)
    said = ANEW.search(process.log.read_text())
    assert process.returncode == 1 and said, tail(process.log)
    assert said.group(1) == installation.topic(topic) and said.group(2) != said.group(3)


def health(installation, role):
    return json.loads(installation.redis.hget(installation.redis_prefix + "health", role) or "{}")


@pytest.mark.parametrize("missed_for", [0, 5], ids=["at-once", "after-a-while"])
def test_under_way(make_installation, missed_for):
    """`missed_for`: seconds in which Kafka says that there is no such topic. More events than before: the old offsets are among the new ones.
    librdkafka takes a topic for gone at once, and not only if it has known it for half a minute."""
    installation = make_installation(**{"kafka.properties": {"topic.metadata.propagation.max.ms": "0"}})
    process = run_through(installation, 200)
    delete(installation, "touchpoints")
    said = lambda: [line for line in process.log.read_text().splitlines() if "level=info" not in line]
    assert missed_for == 0 or eventually(said, 20), tail(process.log)
    time.sleep(missed_for)
    assert len(said()) <= 1, said()  # one for the topic, not one for each partition and second
    installation.succeed("topics")
    generate(installation, 150 if missed_for == 0 else 600, 4)
    wait_for_end(installation, process)
    assert "made anew" in health(installation, "journey")["last_error"]
    if missed_for:  # it has heard that there was no topic; at once it has a second to notice
        assert enriched(installation) == 200
    again = installation.start("journey", name="again")
    assert eventually(lambda: again.poll() is not None, 20) and again.returncode == 1, tail(again.log)
    assert "level=error" in again.log.read_text()


@pytest.mark.parametrize("role, topic", [("journey", "touchpoints"), ("kpi", "kpi.deltas"), ("sink", "kpis"), ("notify", "alerts")])
def test_who_is_told_to_end_after_its_topic_was_deleted_ends(make_installation, role, topic):
    """There is nothing left to commit, and librdkafka's handles that never end are nobody's to wait for."""
    installation = make_installation(**{"notify.receivers": [{"name": "desk", "url": "http://127.0.0.1:9"}]})
    process = installation.start(role)
    generate(installation, 200, 3)
    if role in ("journey", "kpi"):
        assert eventually(lambda: "partition recovered" in process.log.read_text(), 30), tail(process.log)
    else:  # who is not there yet makes the topics that are missing
        assert eventually(lambda: members(installation, {"sink": "sink", "notify": "notify.desk"}[role]) == 1, 30), tail(process.log)
    assert role != "journey" or eventually(lambda: enriched(installation) == 200, 30), tail(process.log)
    delete(installation, topic)
    assert eventually(lambda: "kafka does not have a topic" in process.log.read_text(), 30), tail(process.log)
    assert installation.stop(process, seconds=10) == 0
    assert "left behind" not in process.log.read_text(), tail(process.log)


def test_a_commit_that_meets_a_topic_that_is_gone_says_which_and_does_not_hold_up_the_end(installation):
    """There is always something to commit under traffic; Kafka then says that it does not know the topic of the offsets, until there is one again."""
    journey = installation.start("journey")
    sender = subprocess.Popen([installation.program, "generate", "--config", str(installation.config), "--events", "1000000", "--customers", "50"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert eventually(lambda: enriched(installation) > 100, 30), tail(journey.log)
        delete(installation, "touchpoints")
    finally:
        sender.kill()
        sender.wait()
    assert eventually(lambda: "step=offsets code=UNKNOWN_TOPIC_OR_PART" in journey.log.read_text(), 10), tail(journey.log)
    gone = re.compile("kafka does not have a topic.* error=" + re.escape(installation.topic("touchpoints")) + " ")
    assert eventually(lambda: gone.search(journey.log.read_text()), 5), tail(journey.log)
    assert installation.stop(journey, seconds=8) == 0


def send_again(installation):
    """The same touchpoints under other ids, by somebody who makes no topics."""
    producer = Producer({"bootstrap.servers": installation.services["KAFKA"]})
    for message in installation.messages("touchpoints"):
        if message.value():
            value = bytearray(message.value())
            value[5] ^= 0xff
            producer.produce(message.topic(), key=message.key(), value=bytes(value), partition=message.partition())
    assert producer.flush(10) == 0


@pytest.mark.parametrize("role, topic", [("journey", "journeys"), ("journey", "touchpoints.enriched"), ("kpi", "kpi.state")])
def test_who_is_told_to_end_after_an_output_was_deleted_ends(make_installation, role, topic):
    """What is to go there cannot be committed, however long that is tried; the next start does it again, once the topic is there."""
    installation = make_installation()
    services = [installation.start(name) for name in ("kpi", "journey") if name in (role, "journey")]
    generate(installation, 200, 3)
    assert eventually(lambda: enriched(installation) == 200 and (role == "journey" or installation.messages("kpis")), 30), installation.logs()
    process = services[0]
    delete(installation, topic)
    if role == "journey":
        send_again(installation)
    began = time.monotonic()
    assert installation.stop(process, seconds=20) == 0
    assert time.monotonic() - began < 9 * patience(), tail(process.log)
    assert "left behind" not in process.log.read_text(), tail(process.log)
    if role == "journey":
        installation.succeed("topics")
        again = installation.start("journey", name="again")
        if topic == "journeys":  # with it what was known of its customers
            wait_for_end(installation, again, topic)
        else:
            assert eventually(lambda: enriched(installation) >= 200, 30), tail(again.log)
        assert len(installation.messages("touchpoints")) >= 400
        assert len({record["event_id"] for record in installation.records("touchpoints.enriched")}) == enriched(installation)


def leave_open(installation, topic):
    """A transaction that hides what is committed after it: whoever reads to the end waits. To be kept until the test is over."""
    producer = Producer({"bootstrap.servers": installation.services["KAFKA"], "transactional.id": installation.prefix + "open", "transaction.timeout.ms": 120000})
    producer.init_transactions(20)
    producer.begin_transaction()
    for partition in range(4):
        producer.produce(installation.topic(topic), key="x", value=b"y", partition=partition)
    assert producer.flush(10) == 0
    return producer


def has_partitions(admin, installation, group, instance):
    """All of them; those of a member that has ended are its own until its session is over."""
    members = admin.describe_consumer_groups([installation.topic(group)])[installation.topic(group)].result(20).members
    return sum(len(member.assignment.topic_partitions) for member in members if member.group_instance_id == instance + ".0") == 4


@pytest.mark.parametrize("role, topic", CHECKPOINTS)
def test_a_checkpoint_that_is_deleted_while_it_is_read_is_waited_for(make_installation, role, topic):
    """By a worker that begins anew. What comes under its name then is another, though; what was read of the old one is no part of it."""
    installation = make_installation()
    services = [installation.start(name, settings={"engine.session_timeout": "6s"}) for name in ("journey", "kpi")]
    generate(installation, 200, 3)
    assert eventually(lambda: enriched(installation) == 200 and installation.messages("kpis"), 30), installation.logs()
    for process in services:
        installation.stop(process)
    hides = leave_open(installation, topic)
    process = installation.start(role, name="again", settings={"engine.instance": "again"})
    admin = AdminClient({"bootstrap.servers": installation.services["KAFKA"]})
    log = lambda: process.log.read_text()
    assert eventually(lambda: has_partitions(admin, installation, role, "again"), 30), tail(process.log)
    delete(installation, topic)
    assert eventually(lambda: re.search(r"topic is missing, waiting for it.* topic=%s " % re.escape(installation.topic(topic)), log()), 30), tail(process.log)
    assert "partition recovered" not in log()
    installation.succeed("topics")
    wait_for_end(installation, process, topic)
    assert "partition recovered" not in log()
    del hides


def test_a_checkpoint_that_is_deleted_before_it_is_read_is_missed_soon(installation):
    """The handle that was to read it has never known it: librdkafka hopes for half a minute then, longer than we wait for a handle that says nothing. And
    whoever waits for the topic ends when told to."""
    journey = run_through(installation, 200)
    installation.stop(journey)
    hides = leave_open(installation, "journeys")
    process = installation.start("journey", name="again")
    assert eventually(lambda: "msg=started" in process.log.read_text(), 30)
    delete(installation, "journeys")
    missing = r"topic is missing, waiting for it.* topic=%s " % re.escape(installation.topic("journeys"))
    assert eventually(lambda: re.search(missing, process.log.read_text()), 30), tail(process.log)
    assert installation.stop(process, seconds=10) == 0
    del hides


def run_all(installation):
    services = {role: installation.start(role) for role in ("journey", "kpi", "sink")}
    generate(installation, 200, 3)
    assert eventually(lambda: active_customers(installation) == customers(installation), 30), installation.logs()
    return services


def the_remedy_helps(installation, events):
    delete(installation, *REMEDY, groups=["journey", "kpi"])
    for command in (["journey"], ["kpi"], ["sink", "--rebuild"]):
        installation.start(*command, name=command[0] + "-anew")
    assert eventually(lambda: enriched(installation) == events, 30), installation.logs()
    assert eventually(lambda: active_customers(installation) == customers(installation), 30), installation.logs()


@pytest.mark.parametrize("role, topic", CHECKPOINTS)
def test_a_checkpoint_that_is_made_anew_at_rest(make_installation, role, topic):
    """By the next start itself, which makes what is missing. An empty topic is not taken for the state that belongs to the committed offsets."""
    installation = make_installation()
    for process in run_all(installation).values():
        installation.stop(process)
    delete(installation, topic)
    for name in ("first", "second"):
        wait_for_end(installation, installation.start(role, name=name), topic)
    assert "checkpoint topic" in health(installation, role)["last_error"] and topic in health(installation, role)["last_error"]
    the_remedy_helps(installation, 200)


@pytest.mark.parametrize("role, topic", CHECKPOINTS)
def test_a_checkpoint_that_is_made_anew_under_way(make_installation, role, topic):
    """What is in memory has not been written to that one, nor has what others know of the partitions that they have."""
    installation = make_installation()
    process = run_all(installation)[role]
    delete(installation, topic)
    installation.succeed("topics")
    wait_for_end(installation, process, topic)
    wait_for_end(installation, installation.start(role, name="again"), topic)


def test_a_checkpoint_whose_id_was_not_noted_is_taken_as_it_is(installation):
    """An older program wrote the marker. From now on it has the id."""
    installation.stop(run_through(installation, 200))
    noted = markers(installation)
    assert all(" state=" in place.metadata for place in noted), noted
    commit(installation, [TopicPartition(place.topic, place.partition, place.offset, re.sub(" state=.*", "", place.metadata)) for place in noted])
    again = installation.start("journey", name="again")
    assert eventually(lambda: again.log.read_text().count("partition recovered") == 4, 30), tail(again.log)
    assert "entries=0 " not in again.log.read_text() and "level=error" not in again.log.read_text()
    generate(installation, 200, 4)
    assert eventually(lambda: enriched(installation) == 400, 30), tail(again.log)
    ids = lambda places: [place.metadata.split()[-2:] for place in places]
    assert eventually(lambda: ids(markers(installation)) == ids(noted), 20), markers(installation)


def test_at_a_start_after_which_the_remedy_helps(make_installation):
    """A commit that still came through in between, with the old topic's id, is as a running process may leave it."""
    installation = make_installation()
    for process in run_all(installation).values():
        installation.stop(process)
    marker = markers(installation)
    delete(installation, "touchpoints")
    installation.succeed("topics")
    generate(installation, 600, 4)
    commit(installation, marker)
    wait_for_end(installation, installation.start("journey"))
    the_remedy_helps(installation, 600)


def active_customers(installation):
    return json.loads(installation.redis.hget(installation.redis_prefix + "kpi:active_customers:90d", "all") or "{}").get("n")


def kafka_text(text):
    return struct.pack(">h", len(text.encode())) + text.encode()


def markers(installation):
    """What was committed for each partition. Asked by hand (OffsetFetch): Python's client reads beyond the end of the texts."""
    topic, host_and_port = installation.topic("touchpoints"), installation.services["KAFKA"].rsplit(":", 1)
    request = struct.pack(">hhi", 9, 1, 1) + kafka_text("") + kafka_text(installation.topic("journey")) + struct.pack(">i", 1) + kafka_text(topic)
    request += struct.pack(">5i", 4, *range(4))
    with socket.create_connection(host_and_port, 10) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        with connection.makefile("rb") as answer:
            answer.read(4 + 4 + 4 + len(kafka_text(topic)) + 4)
            found = []
            for _ in range(4):
                partition, offset, size = struct.unpack(">iqh", answer.read(14))
                found.append(TopicPartition(topic, partition, offset, answer.read(size).decode().rstrip("\0")))  # that client's, too
                assert answer.read(2) == b"\0\0"
            return found


def commit(installation, places):
    consumer = Consumer({"bootstrap.servers": installation.services["KAFKA"], "group.id": installation.topic("journey"), "enable.auto.commit": False})
    try:
        assert eventually(lambda: is_done(lambda: consumer.commit(offsets=places, asynchronous=False)), 30)
    finally:
        consumer.close()


def customers(installation):
    return len({message.key() for message in installation.messages("touchpoints") if message.key()})
