"""What the processes stand on dies, fills up, goes away, or gets slow. After each of it the outputs are those of an undisturbed run and
of the batch computation. KILLS=50 makes it longer (see run)."""

import os
import random
import shutil
import signal
import subprocess
import time
import uuid
from urllib.parse import urlsplit

import pytest
from apart import Apart
from installation import Installation, eventually
from own_services import OwnServices
from relay import Relay, place
from storm import GROUPS, SHORT_SESSION, Crew, Traffic, flows, is_caught_up, judge_all

BROKER_KILLS = int(os.environ.get("KILLS", "6")) // 3
SEED = int(os.environ.get("SEED", "1"))


@pytest.fixture
def own_installation(services, program, tmp_path):
    """own_installation(only, …) gives an installation on services of its own, as far as `only` names them, and those."""
    shared, made = services, []

    def make(only, prepare=None, **settings):
        folder = tmp_path / "services"
        folder.mkdir()
        if prepare:
            made.append(prepare(folder))
        services = OwnServices(folder, only)
        made.append(services.stop)
        name = "own" + uuid.uuid4().hex[:8]
        installation = Installation(name, {**shared, **services.addresses}, program, tmp_path / "made", {**SHORT_SESSION, **settings})
        made.append(installation.finish)
        installation.succeed("topics")
        return installation, services

    yield make
    for undo in reversed(made):
        undo()


def committed_moves(installation, seconds):
    """Both groups have got to where their inputs end now, within so many seconds."""
    began = time.monotonic()
    for role in GROUPS:
        assert is_caught_up(installation, role, seconds), "%s does not go on\n%s" % (role, installation.logs())
    return time.monotonic() - began


@pytest.mark.timeout(400 + 60 * BROKER_KILLS)
def test_the_broker_is_restarted_and_killed(own_installation):
    installation, services = own_installation("kafka")
    crew = Crew(installation, ["journey1", "journey2", "kpi1", "sink"])
    traffic, took = Traffic(installation), []
    time.sleep(4)
    for number in range(BROKER_KILLS + 1):
        if number == 0:
            services.stop("kafka")
        else:
            services.kill("kafka")
        services.start("kafka")
        took.append(committed_moves(installation, 40))
        time.sleep(2)
    traffic.finish()
    told, once = judge_all(installation)
    crew.complains_of_nothing()
    print("\n1 restart and %d kills of the broker: caught up %s s after it answers; %d events, %d kept" % (
        BROKER_KILLS, " ".join("%.0f" % one for one in took), told, once))


@pytest.mark.timeout(400)
def test_the_broker_stands_still(own_installation):
    """Beyond sessions and transactions, as a machine does that swaps or is moved. Nothing is refused, nothing answered; then all that was
    asked meanwhile is answered at once, late."""
    installation, services = own_installation("kafka")
    crew = Crew(installation, ["journey1", "journey2", "kpi1", "sink"])
    traffic, took = Traffic(installation), []
    flows(installation)
    for seconds in (4, 9, 16):
        services.freeze("kafka", seconds)
        took.append(committed_moves(installation, 60))
        time.sleep(2)
    traffic.finish()
    told, once = judge_all(installation)
    crew.complains_of_nothing()
    print("\nthe broker stood still three times: caught up %s s after; %d events, %d kept" % (
        " ".join("%.0f" % one for one in took), told, once))


def small_disk(folder):
    """A disk of 96 MB for Kafka's log; the filler takes the rest of it."""
    data = folder / "data" / "kafka"
    data.mkdir(parents=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m", "touchstream-test", str(data)], capture_output=True).returncode != 0:
        pytest.skip("may not mount a small disk here")
    return lambda: subprocess.run(["umount", "-l", str(data)], check=True)


@pytest.mark.timeout(400)
def test_the_brokers_disk_is_full(own_installation):
    installation, services = own_installation("kafka", small_disk)
    crew = Crew(installation, ["journey1", "kpi1", "sink"])
    traffic = Traffic(installation)
    flows(installation)
    filler = services.folder / "data" / "kafka" / "filler"
    with open(filler, "wb", buffering=0) as file:  # what a buffer keeps when the disk is full, it would try again at the end
        while True:
            try:
                file.write(b"x" * 65536)
            except OSError:
                break
    # A broker whose only disk fails ends.
    services.wait_until_gone("kafka")
    assert all(process.poll() is None for process in crew.processes.values()), installation.logs()
    filler.unlink()
    services.start("kafka")
    waited = committed_moves(installation, 60)
    traffic.finish()
    told, once = judge_all(installation)
    print("\nthe broker's disk was full, and it ended: caught up %.0f s after it answers again; %d events, %d kept" % (waited, told, once))


@pytest.mark.timeout(400)
def test_the_network_is_cut_beyond_the_session(own_installation):
    """Those behind the cut are taken for dead and their work is done by the others; when they come back they are fenced."""
    installation, services = own_installation("kafka")
    apart = Apart([installation.services["KAFKA"], urlsplit(installation.services["REGISTRY"]).netloc])
    try:
        crew = Crew(installation, ["journey1", "journey2", "kpi1", "kpi2", "sink"], within={"journey1": apart.within, "kpi1": apart.within})
        traffic = Traffic(installation)
        flows(installation)
        time.sleep(4)
        apart.pull()
        time.sleep(15)
        taken_over = committed_moves(installation, 60)
        apart.plug()
        time.sleep(6)
        traffic.finish()
        told, once = judge_all(installation)
        assert all(process.poll() is None for process in crew.processes.values()), installation.logs()
        print("\nnetwork cut for 15 s: the others had done all of it %.0f s later; %d events, %d kept" % (taken_over, told, once))
    finally:
        apart.finish()


@pytest.mark.timeout(400)
def test_connections_break_all_the_time(make_installation):
    """In the middle of requests, and of answers to what has been done: was it, or was it not?"""
    installation = make_installation(**SHORT_SESSION)
    apart = Apart([installation.services["KAFKA"], urlsplit(installation.services["REGISTRY"]).netloc])
    chance, cuts = random.Random(SEED), 0
    try:
        crew = Crew(installation, ["journey1", "journey2", "kpi1", "sink"], within={"journey1": apart.within, "kpi1": apart.within})
        traffic = Traffic(installation)
        flows(installation)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            time.sleep(chance.uniform(0.02, 1.5))
            apart.relays[0].cut()
            cuts += 1
        traffic.finish()
        told, once = judge_all(installation)
        assert all(process.poll() is None for process in crew.processes.values()), installation.logs()
        print("\nconnections broken %d times; %d events, %d kept" % (cuts, told, once))
    finally:
        apart.finish()


@pytest.mark.timeout(400)
def test_redis_is_slow_then_killed_and_emptied(own_installation):
    installation, services = own_installation("redis")
    relay = Relay(("127.0.0.1", 0), place(services.addresses["REDIS"]))
    try:
        crew = Crew(installation, ["journey1", "kpi1", "sink"], {"redis.address": relay.address})
        traffic = Traffic(installation)
        read = lambda: len(installation.redis.keys(installation.redis_prefix + "kpi:*"))
        assert eventually(lambda: read() > 10, 60), installation.logs()
        relay.delay_s = 0.3
        time.sleep(8)
        committed_moves(installation, 40)  # who does not need Redis does not wait for it
        relay.delay_s = 0
        services.kill("redis")
        shutil.rmtree(services.folder / "data" / "redis")
        time.sleep(2)
        services.start("redis")
        traffic.finish()
        told, once = judge_all(installation)
        assert all(process.poll() is None for process in crew.processes.values()), installation.logs()
        print("\nRedis slow, killed and emptied: filled again from the topics; %d events, %d kept" % (told, once))
    finally:
        relay.close()


def all_in_redis(installation, prefix):
    """{key without the prefix: what it holds}. A stream's ids are left out where Redis makes them up, and the order where several
    partitions feed it."""
    client, found = installation.redis, {}
    read = {"hash": client.hgetall, "set": client.smembers, "zset": lambda key: client.zrange(key, 0, -1, withscores=True), "string": client.get}
    for key in client.scan_iter(prefix + "*", 1000):
        name, kind = key[len(prefix):], client.type(key)
        if name == "health" or kind == "none":  # it has gone while this looked
            continue
        if kind == "stream":
            entries = client.xrange(key)
            if not name.startswith("series:"):
                entries = [fields for _, fields in entries]
            found[name] = sorted(entries, key=str) if name in ("alerts", "shifts") else entries
        else:
            found[name] = read[kind](key)
    return found


def ends_of_results(installation):
    """{key of the sink's place: where it stands when all is taken}"""
    ends = {}
    for topic in ("kpis", "alerts", "touchpoints.enriched", "journeys", "followups", "trend.shifts"):
        for message in installation.messages(topic):
            ends["position:%s:%d" % (topic, message.partition())] = str(message.offset() + 1)
    return ends


@pytest.mark.timeout(400)
def test_redis_comes_back_with_an_older_snapshot(own_installation):
    """Without an append-only file a Redis that was killed has forgotten minutes. The sink's places are as old as the data beside them, so
    it reads those minutes again, whether anything new comes or not; nobody can tell from the data that it happened."""
    installation, services = own_installation("redis")
    redis, prefix = installation.redis, installation.redis_prefix
    crew = Crew(installation, ["journey1", "kpi1", "sink"])
    traffic = Traffic(installation)

    def back_in_time():
        services.kill("redis")
        services.start("redis")

    def touchpoints():
        return sum(redis.xlen(key) for key in redis.scan_iter(prefix + "journey:*", 1000))

    assert eventually(lambda: touchpoints() > 300 and redis.zcard(prefix + "hot") > 0, 60), installation.logs()
    redis.save()
    saved = all_in_redis(installation, prefix)
    before = touchpoints()
    assert eventually(lambda: touchpoints() > before + 500, 60), installation.logs()
    back_in_time()  # while all is in motion
    traffic.finish()
    for role in GROUPS:
        assert is_caught_up(installation, role), installation.logs()
    for name in ("journey1", "kpi1"):
        crew.end(name, signal.SIGTERM)
    once = installation.records("touchpoints.enriched")
    assert len({(one["customer_id"], one["event_id"]) for one in once}) == len(once)
    wanted = {}
    for one in once:
        wanted[one["customer_id"]] = min(100, wanted.get(one["customer_id"], 0) + 1)
    ends = ends_of_results(installation)
    assert eventually(lambda: {key: redis.get(prefix + key) for key in ends} == ends, 60), installation.logs()
    full = all_in_redis(installation, prefix)

    back_in_time()  # in silence: no record comes that would show the sink its loss
    assert eventually(lambda: all_in_redis(installation, prefix) == full, 60, 1), installation.logs()
    assert {key: len(one) for key, one in full.items() if key.startswith("journey:")} == {"journey:" + key: count for key, count in wanted.items()}
    assert full["hot"] and full["alerts"] and full != saved

    # What a sink writes to which nothing happened.
    crew.end("sink", signal.SIGTERM)
    calm = prefix + "calm:"
    installation.start("sink", name="calm", settings={"redis.prefix": calm})
    quiet = {}

    def equal():
        quiet.update(all_in_redis(installation, calm))
        return quiet == full
    assert eventually(equal, 60, 1), "differ: %s\n%s" % (sorted(key for key in full.keys() | quiet.keys() if full.get(key) != quiet.get(key))[:20],
                                                          installation.logs())
    print("\nRedis back from an older snapshot, under way and in silence: %d touchpoints, %d keys as if nothing had happened" % (
        sum(wanted.values()), len(full)))


@pytest.mark.timeout(400)
def test_the_registry_is_away(own_installation):
    """Who runs goes on; who starts waits for it, and begins when it is back."""
    installation, services = own_installation("registry")
    crew = Crew(installation, ["journey1", "kpi1", "sink"])
    traffic = Traffic(installation)
    flows(installation)
    services.kill("registry")
    time.sleep(3)
    committed_moves(installation, 40)
    for name in ("journey1", "kpi1", "sink"):
        crew.end(name, signal.SIGKILL)
        crew.start(name)
    time.sleep(3)
    assert all(process.poll() is None for process in crew.processes.values()), installation.logs()
    services.start("registry")
    waited = committed_moves(installation, 60)
    traffic.finish()
    told, once = judge_all(installation)
    print("\nregistry away: caught up %.0f s after it is back; %d events, %d kept" % (waited, told, once))
