"""A worker that its group has given up, and that does not know it, commits nothing of what others have done meanwhile."""

import struct
import threading
from urllib.parse import urlsplit

import pytest
from apart import Apart
from confluent_kafka import ConsumerGroupState
from confluent_kafka.admin import AdminClient
from installation import eventually
from relay import Relay, cut, place
from storm import SHORT_SESSION, Crew, Traffic, flows, judge_all

JOIN_GROUP, HEARTBEAT = 11, 12
ALL_IS_WELL, REBALANCE_IN_PROGRESS = 0, 27


def frames(source):
    """Kafka's requests or answers, each with the size before it."""
    waiting = b""
    while data := source.recv(65536):
        waiting += data
        while len(waiting) >= 4 and len(waiting) >= (size := 4 + struct.unpack(">i", waiting[:4])[0]):
            yield waiting[:size]
            waiting = waiting[size:]


def heartbeat_answered(request, error):
    version, number = struct.unpack(">hi", request[6:12])
    answer = struct.pack(">i", number) + (b"\0" if version >= 4 else b"") + (struct.pack(">i", 0) if version >= 1 else b"")
    answer += struct.pack(">h", error) + (b"\0" if version >= 4 else b"")
    return struct.pack(">i", len(answer)) + answer


class GroupRelay(Relay):
    """Answers heartbeats itself with the error `says`, unless that is None; carries `joins_left` requests to join, then none, and all else."""

    def __init__(self, listen, target):
        self.says, self.joins, self.joins_left, self.one_at_a_time = None, 0, 1000000, threading.Lock()
        super().__init__(listen, target)

    def carry(self, source, sink):
        try:
            for frame in frames(source):
                kind = struct.unpack(">h", frame[4:6])[0] if sink.getpeername() == self.target else None
                self.joins += kind == JOIN_GROUP
                self.joins_left -= kind == JOIN_GROUP
                if kind == JOIN_GROUP and self.joins_left < 0:
                    continue
                with self.one_at_a_time:
                    if kind == HEARTBEAT and self.says is not None:
                        source.sendall(heartbeat_answered(frame, self.says))
                    else:
                        sink.sendall(frame)
        except OSError:
            pass
        cut(source, sink)


def members(installation):
    """How many the journey stage's group has, when it is at rest."""
    admin = AdminClient({"bootstrap.servers": installation.services["KAFKA"]})
    for group in admin.describe_consumer_groups([installation.prefix + "journey"]).values():
        described = group.result(20)
        return len(described.members) if described.state == ConsumerGroupState.STABLE else None


def apart_behind_a_group_relay(installation):
    kafka, registry = place(installation.services["KAFKA"]), urlsplit(installation.services["REGISTRY"]).netloc
    return Apart([installation.services["KAFKA"], registry],
                 lambda listen, target: GroupRelay(listen, target) if target == kafka else Relay(listen, target))


@pytest.mark.timeout(400)
def test_who_was_given_up_and_comes_back_as_another(make_installation):
    """To begin with it is told that all is well while the coordinator hears nothing of it, as when a coordinator is killed and comes
    back; then it is to join again, is a stranger there, and becomes a new member that still holds its old partitions."""
    installation = make_installation(**SHORT_SESSION)
    apart = apart_behind_a_group_relay(installation)
    try:
        relay = apart.relays[0]
        crew = Crew(installation, ["journey1", "journey2", "kpi1", "sink"], within={"journey1": apart.within})
        traffic = Traffic(installation)
        assert eventually(lambda: members(installation) == 2, 60), installation.logs()
        flows(installation)
        relay.says = ALL_IS_WELL
        assert eventually(lambda: members(installation) == 1, 60), installation.logs()
        flows(installation)
        joined, relay.says = relay.joins, REBALANCE_IN_PROGRESS
        assert eventually(lambda: relay.joins > joined, 60, 0.01), installation.logs()
        relay.says = None
        assert eventually(lambda: members(installation) == 2, 60), installation.logs()
        traffic.finish()
        told, once = judge_all(installation)
        assert all(process.poll() is None for process in crew.processes.values()), installation.logs()
        print("\n%d events, %d kept" % (told, once))
    finally:
        apart.finish()


@pytest.mark.timeout(400)
def test_who_dies_between_the_two_parts_of_a_rebalance(make_installation):
    """It has let partitions go for the one that has just come, dies before it can say so, and is back before its session ends: Kafka hands
    it the place it had, and to nobody what it let go."""
    installation = make_installation(**{**SHORT_SESSION, "engine.session_timeout": "30s"})
    apart = apart_behind_a_group_relay(installation)
    try:
        relay = apart.relays[0]
        crew = Crew(installation, ["journey1", "kpi1", "sink"], within={"journey1": apart.within})
        traffic = Traffic(installation)
        flows(installation)
        joined, relay.joins_left = relay.joins, 1
        crew.start("journey2")
        assert eventually(lambda: relay.joins > joined + 1, 60, 0.01), installation.logs()
        crew.end("journey1")
        relay.joins_left = 1000000
        crew.start("journey1")
        traffic.finish()
        told, once = judge_all(installation)
        print("\n%d events, %d kept" % (told, once))
    finally:
        apart.finish()
