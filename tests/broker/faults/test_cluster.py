"""Three brokers, as an installation has that means it: one after the other is killed and comes back, and the route goes on with the two that are
left. After it the outputs are those of an undisturbed run and of the batch computation. KILLS makes it all three (see run)."""

import os
import time
import uuid

import pytest
from confluent_kafka.admin import AdminClient
from installation import Installation, eventually
from own_services import OwnCluster
from storm import SHORT_SESSION, Crew, Traffic, flows, judge_all


BROKERS = 3 if "KILLS" in os.environ else 1


def all_in_step(installation):
    """Every partition has all three of its copies again: the next broker may go."""
    try:
        topics = AdminClient({"bootstrap.servers": installation.services["KAFKA"]}).list_topics(timeout=10).topics.values()
    except Exception:
        return False
    return all(len(partition.isrs) == 3 for topic in topics for partition in topic.partitions.values())


@pytest.fixture
def clustered(services, program, tmp_path):
    cluster = OwnCluster(tmp_path / "cluster")
    installation = Installation("three" + uuid.uuid4().hex[:8], {**services, **cluster.addresses}, program, tmp_path / "made",
                                {**SHORT_SESSION, "topics.replication": 3})
    yield installation, cluster
    installation.finish()
    cluster.stop()


@pytest.mark.timeout(600)
def test_brokers_are_killed_one_after_the_other(clustered):
    installation, cluster = clustered
    installation.succeed("topics")
    installation.succeed("check")
    crew = Crew(installation, ["journey1", "journey2", "kpi1", "sink"])
    traffic, took = Traffic(installation), []
    flows(installation)
    for broker in cluster.brokers[:BROKERS]:
        broker.kill("kafka")
        began = time.monotonic()
        flows(installation, 1000)
        took.append(time.monotonic() - began)
        broker.start("kafka")
        assert eventually(lambda: all_in_step(installation), 90, 1), "the broker does not catch up"
    traffic.finish()
    told, once = judge_all(installation)
    crew.complains_of_nothing()
    print("\nthree brokers, %d of them killed: a thousand events more %s s after; %d events, %d kept" % (
        BROKERS, " ".join("%.0f" % one for one in took), told, once))
