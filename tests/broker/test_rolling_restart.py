"""A process with a name of its own (engine.instance) is started anew and has its place back at once: nobody else is stopped for it. Shown with
the others frozen: were they asked to let go and join again, everybody would wait until Kafka had given them up."""

import signal

import pytest
from confluent_kafka import ConsumerGroupState
from confluent_kafka.admin import AdminClient
from installation import eventually, tail
from test_mission import receivers  # noqa: F401, a fixture
from test_notifying import CASE, Alerts, told, url
from test_redis_sink import Topics, kpi


def places(installation, group):
    """{member id: its partitions} of a settled group; {}: it is not settled."""
    admin = AdminClient({"bootstrap.servers": installation.services["KAFKA"]})
    found = admin.describe_consumer_groups([installation.topic(group)])[installation.topic(group)].result(30)
    if found.state != ConsumerGroupState.STABLE:
        return {}
    return {member.member_id: sorted((one.topic, one.partition) for one in member.assignment.topic_partitions) for member in found.members}


def start(installation, role, name, log=None):
    return installation.start(role, name=log or name, settings={"engine.instance": name, "engine.session_timeout": "40s"})


@pytest.fixture
def pair_of():
    """Starts two, one after the other: their processes, and which place in the group is whose."""
    frozen = []

    def make(installation, role, group):
        processes, whose = [], []
        for name in ("a", "b"):
            processes.append(start(installation, role, name))
            assert eventually(lambda: len(places(installation, group)) == len(processes), 40), installation.logs()
            whose.append(next(iter(set(places(installation, group)) - set(whose))))
        frozen.append(processes[1])
        return processes, whose
    yield make
    for process in frozen:
        process.send_signal(signal.SIGCONT)


def start_anew_beside_frozen(installation, role, processes, how=signal.SIGTERM):
    processes[1].send_signal(signal.SIGSTOP)
    assert installation.stop(processes[0], how) == (0 if how == signal.SIGTERM else -how)
    name = processes[0].log.stem
    return start(installation, role, name, name + "-anew")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_sink(installation, pair_of, how):
    processes, whose = pair_of(installation, "sink", "sink")
    before = places(installation, "sink")
    mine = [number for topic, number in before[whose[0]] if topic == installation.topic("kpis")]
    assert 0 < len(mine) < 4, before
    anew = start_anew_beside_frozen(installation, "sink", processes, how)
    topics = Topics(installation)
    for number in mine:
        topics.put("kpis", "nps|24h|mine=%d" % number, kpi(1.0, dimension="mine=%d" % number), partition=number)
    topics.flush()
    written = lambda: {int(name.split("=")[1]) for name in installation.redis.hkeys(installation.redis_prefix + "kpi:nps:24h")}
    assert eventually(lambda: written() == set(mine), 20), tail(anew.log)
    after = places(installation, "sink")
    assert whose[1] in after and sorted(after.values()) == sorted(before.values()), (before, after)


def test_the_one_that_tells_a_receiver(make_installation, receivers, pair_of):  # noqa: F811
    desk = receivers()
    installation = make_installation(**{"notify.receivers": [{"name": "desk", "url": url(desk)}]})
    alerts = Alerts(installation)
    processes, whose = pair_of(installation, "notify", "notify.desk")
    before = places(installation, "notify.desk")
    if not before[whose[0]]:  # there is one partition: who has it tells, the other stands by
        processes.reverse()
        whose.reverse()
    alerts.put("first", **CASE)
    assert eventually(lambda: told(desk) == [("first", "OPEN")], 20), installation.logs()
    anew = start_anew_beside_frozen(installation, "notify", processes)
    alerts.put("second", **CASE)
    assert eventually(lambda: told(desk) == [("first", "OPEN"), ("second", "OPEN")], 20), tail(anew.log)
    after = places(installation, "notify.desk")
    assert whose[1] in after and sorted(after.values()) == sorted(before.values()), (before, after)
