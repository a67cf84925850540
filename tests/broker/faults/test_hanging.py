"""Transactions that hang: their coordinator says that they have ended, and in some partition they have not. They are ended as had been
decided, whether they are of the process's own former life or of one that does not come back; what is still under way is left alone."""

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from installation import eventually
from raw_kafka import RawProducer

CHECK = "transaction.partition.verification.enable"


@pytest.fixture
def careless_kafka(services):
    """The broker takes transactional records for a partition that its coordinator does not know of, as it did before it was killed."""
    admin = AdminClient({"bootstrap.servers": services["KAFKA"]})

    def alter(operation):
        entry = ConfigEntry(CHECK, "false", incremental_operation=operation)
        broker = ConfigResource(ResourceType.BROKER, str(*admin.list_topics(timeout=20).brokers), incremental_configs=[entry])
        for done in admin.incremental_alter_configs([broker]).values():
            done.result(20)
    alter(AlterConfigOpType.SET)
    yield
    alter(AlterConfigOpType.DELETE)


def leave_hanging(installation, instance, partition, is_commit, key):
    """A worker's transaction with a record in two partitions, ended in one of them."""
    topic = installation.topic("touchpoints.enriched")
    raw = RawProducer(installation.services["KAFKA"], "%sjourney.%s.0" % (installation.prefix, instance))
    raw.add(topic, (partition + 1) % 4)
    raw.produce(topic, (partition + 1) % 4, key + b"-ended", b"x")
    raw.produce(topic, partition, key, b"x")
    raw.end(is_commit)
    raw.close()


def keys_of(installation):
    """{key: partition} of what readers of committed records get."""
    return {message.key(): message.partition() for message in installation.messages("touchpoints.enriched")}


def follow_up(installation, partition):
    """Something after what hangs, which nobody sees as long as it does."""
    raw = RawProducer(installation.services["KAFKA"], "%safter.%d" % (installation.prefix, partition))
    topic = installation.topic("touchpoints.enriched")
    raw.add(topic, partition)
    raw.produce(topic, partition, b"after-%d" % partition, b"x")
    raw.end(True)
    raw.close()


@pytest.mark.parametrize("instance, is_commit", [("own", True), ("own", False), ("gone", True), ("gone", False)])
def test_what_hangs_is_ended_as_decided(make_installation, careless_kafka, instance, is_commit):
    installation = make_installation(**{"engine.instance": "own"})
    installation.succeed("topics")
    leave_hanging(installation, instance, 2, is_commit, b"hung")
    follow_up(installation, 2)
    before = keys_of(installation)
    assert b"after-2" not in before and b"hung" not in before and (b"hung-ended" in before) == is_commit
    undecided = RawProducer(installation.services["KAFKA"], installation.prefix + "journey.busy.0", 600000)
    undecided.add(installation.topic("touchpoints.enriched"), 0)
    undecided.produce(installation.topic("touchpoints.enriched"), 0, b"undecided", b"x")
    process = installation.start("journey")
    assert eventually(lambda: b"after-2" in keys_of(installation), 60), installation.logs()
    assert (b"hung" in keys_of(installation)) == is_commit
    assert "ended a transaction that Kafka had left open" in process.log.read_text()
    # Whoever is at work is not disturbed.
    assert b"undecided" not in keys_of(installation)
    undecided.end(True)
    undecided.close()
    assert eventually(lambda: b"undecided" in keys_of(installation), 20), installation.logs()
    assert installation.stop(process) == 0
