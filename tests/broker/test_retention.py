"""What Kafka deletes before a stage has read it is lost to that stage, and it says so; at an ordinary restart it says nothing."""

import json
import re
import time
import urllib.request
import uuid

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from installation import eventually, free_port

GONE = re.compile(r'level=warning .*deleted before it was read.*topic=(\S+) partition=(\d+) records=(\d+) from_offset=(\d+)')


def import_some(installation, count):
    """Answers of as many customers, so that every partition has some."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    file = installation.folder / ("%s.ndjson" % uuid.uuid4().hex)
    file.write_text("".join(json.dumps({
        "source": "site", "event_id": uuid.uuid4().hex, "customer_id": "c-%d" % number, "channel": "WEB",
        "type": "SurveyAnswered", "occurred_at": now, "data": {"survey_id": uuid.uuid4().hex, "kind": "CSAT", "score": 4}}) + "\n" for number in range(count)))
    installation.succeed("import", file)


def ends(installation, topic):
    consumer = installation.consumer()
    try:
        partitions = consumer.list_topics(installation.topic(topic), 10).topics[installation.topic(topic)].partitions
        return {number: consumer.get_watermark_offsets(TopicPartition(installation.topic(topic), number), 10)[1] for number in partitions}
    finally:
        consumer.close()


def committed(installation, role, topic):
    consumer = Consumer({"bootstrap.servers": installation.services["KAFKA"], "group.id": installation.topic(role)})
    try:
        places = consumer.committed([TopicPartition(installation.topic(topic), number) for number in ends(installation, topic)], 10)
        return {place.partition: max(place.offset, 0) for place in places}
    finally:
        consumer.close()


def is_through(installation, role, topic):
    reached = committed(installation, role, topic)
    return all(reached[number] >= end for number, end in ends(installation, topic).items())


def run_through(installation, role, topic, **how):
    process = installation.start(role, **how)
    assert eventually(lambda: is_through(installation, role, topic)), installation.logs()
    return process


@pytest.mark.parametrize("role, topic, feeder", [("journey", "touchpoints", None), ("kpi", "kpi.deltas", "journey")])
@pytest.mark.parametrize("left", [0, 1])
def test_what_was_deleted_unread_is_told(installation, role, topic, feeder, left):
    """`left`: records that stay in each partition, behind the deleted ones."""
    def feed():
        import_some(installation, 200)
        if feeder:
            installation.stop(run_through(installation, feeder, "touchpoints"))

    feed()
    installation.stop(run_through(installation, role, topic, name="first"))
    feed()
    port = free_port()
    again = run_through(installation, role, topic, name="again")
    assert not GONE.findall(again.log.read_text())
    installation.stop(again)

    feed()
    place, end = committed(installation, role, topic), ends(installation, topic)
    begin = {number: end[number] - left for number in end if end[number] - left > place[number]}
    assert len(begin) == 4, (place, end)
    admin = AdminClient({"bootstrap.servers": installation.services["KAFKA"]})
    for future in admin.delete_records([TopicPartition(installation.topic(topic), *one) for one in begin.items()]).values():
        future.result(20)
    late = installation.start(role, name="late", settings={"status.listen": "127.0.0.1:%d" % port})
    told = eventually(lambda: len(GONE.findall(late.log.read_text())) >= len(begin) and GONE.findall(late.log.read_text()))
    assert told, installation.logs()
    assert {(name, int(number), int(records), int(start)) for name, number, records, start in told} == \
        {(topic, number, begin[number] - place[number], place[number]) for number in begin}, late.log.read_text()
    metrics = lambda: urllib.request.urlopen("http://127.0.0.1:%d/metrics" % port, timeout=30).read().decode()
    counted = lambda: [float(one) for one in re.findall(r"^touchstream_engine_gone_total\{.*\} (\S+)$", metrics(), re.M)]
    assert eventually(lambda: counted() == [float(sum(begin[number] - place[number] for number in begin))], 20), metrics()
    installation.stop(late)


@pytest.mark.parametrize("span, is_told", [("29d", False), ("100d", True)])
def test_history_that_is_older_than_kafka_keeps_is_told_of(installation, span, is_told):
    done = installation.succeed("generate", "--events", 50, "--span", span)
    assert ("deletes the oldest" in done.stderr and "touchpoints_kept_days=30" in done.stderr) == is_told, done.stderr
