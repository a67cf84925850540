"""A Redis that is there and does not take what it is sent: no password, no permission, no memory. Who looks at the log learns why, once; when it
takes it, everything is there."""

import json
import re

import pytest
import redis
import requests
from installation import eventually, free_port, tail
from own_services import own_redis  # noqa: F401, a fixture
from test_redis_sink import Topics, kpi


@pytest.fixture
def guarded(make_installation, own_redis):  # noqa: F811
    """(installation, a client of its own Redis as the default user)"""
    address = own_redis.addresses["REDIS"]
    host, port = address.split(":")
    return make_installation(**{"redis.address": address}), redis.Redis(host, int(port), decode_responses=True)


def write(installation, value):
    topics = Topics(installation)
    topics.put("kpis", "nps|24h|all", kpi(value))
    topics.flush()


def has(installation, client, value):
    text = client.hget(installation.redis_prefix + "kpi:nps:24h", "all")
    return text is not None and json.loads(text)["value"] == value


def lines(process, part):
    return [line for line in process.log.read_text().splitlines() if part in line]


def test_a_password_that_is_not_given(guarded):
    """A Redis that wants one answers every command with an error, which is no answer."""
    installation, client = guarded
    client.config_set("requirepass", "sesame")
    sink = installation.start("sink")
    write(installation, 1.0)
    assert eventually(lambda: lines(sink, "NOAUTH"), 20), tail(sink.log)
    done = installation.run("check")
    assert done.returncode == 1 and "NOAUTH" in next(line for line in done.stdout.splitlines() if line.startswith("redis")), done.stdout
    assert not lines(sink, "redis is back") and len(lines(sink, "NOAUTH")) <= 3, tail(sink.log)
    client.auth("sesame")
    client.config_set("requirepass", "")
    assert eventually(lambda: has(installation, client, 1.0), 30), tail(sink.log)


def test_a_user_of_its_own(guarded):
    """redis.username; what the user may not do is named."""
    installation, client = guarded
    client.execute_command("ACL", "SETUSER", "shop", "on", ">sesame", "~" + installation.redis_prefix + "*", "&*", "+@all", "-mget")
    sink = installation.start("sink", settings={"redis.username": "shop", "redis.password": "sesame"})
    write(installation, 1.0)
    assert eventually(lambda: lines(sink, "NOPERM"), 20), tail(sink.log)
    assert "mget" in lines(sink, "NOPERM")[0].lower()
    client.execute_command("ACL", "SETUSER", "shop", "+mget")
    assert eventually(lambda: has(installation, client, 1.0), 30), tail(sink.log)


def test_no_memory_left(guarded):
    installation, client = guarded
    sink = installation.start("sink")
    write(installation, 1.0)
    assert eventually(lambda: has(installation, client, 1.0), 30), tail(sink.log)
    client.config_set("maxmemory", "1mb")  # less than it has taken by itself
    write(installation, 2.0)
    assert eventually(lambda: lines(sink, "OOM command not allowed"), 20), tail(sink.log)
    assert not eventually(lambda: has(installation, client, 2.0), 3)
    assert len(lines(sink, "OOM")) == 1 and len(lines(sink, "level=warning")) == 1, tail(sink.log)
    client.config_set("maxmemory", "0")
    assert eventually(lambda: has(installation, client, 2.0), 30), tail(sink.log)
    assert eventually(lambda: lines(sink, "redis takes what it refused"), 10), tail(sink.log)


def test_a_redis_that_throws_keys_away(guarded):
    installation, client = guarded
    assert "warning" not in installation.succeed("check").stdout
    client.config_set("maxmemory-policy", "allkeys-lru")
    client.config_set("maxmemory", "500mb")
    assert "noeviction is wanted" in installation.succeed("check").stdout


def test_a_redis_that_is_a_replica(guarded):
    """It answers, and takes nothing: who looks only whether it answers would say that all is well."""
    installation, client = guarded
    client.replicaof("127.0.0.1", "1")
    done = installation.run("check")
    assert done.returncode == 1 and re.search("^redis .*replica.*redis.address has to name the primary", done.stdout, re.M), done.stdout
    client.replicaof("NO", "ONE")
    installation.succeed("check")


def test_a_redis_that_becomes_a_replica_under_way(guarded):
    """A failover, with the old address: said once and clearly, in silence, too; what Redis then has of positions is no news."""
    installation, client = guarded
    sink = installation.start("sink")
    write(installation, 1.0)
    assert eventually(lambda: has(installation, client, 1.0), 30), tail(sink.log)
    client.replicaof("127.0.0.1", "1")
    assert eventually(lambda: lines(sink, "redis is read-only, a replica it seems: redis.address has to name the primary"), 10), tail(sink.log)
    write(installation, 2.0)
    assert not eventually(lambda: has(installation, client, 2.0), 4)
    assert len(lines(sink, "READONLY")) == 1 and len(lines(sink, "level=warning")) == 1, tail(sink.log)
    assert not lines(sink, "another position"), tail(sink.log)
    client.replicaof("NO", "ONE")
    assert eventually(lambda: has(installation, client, 2.0), 30), tail(sink.log)
    assert eventually(lambda: lines(sink, "redis takes what it refused"), 10), tail(sink.log)


def test_a_redis_that_does_not_answer(guarded, own_redis):  # noqa: F811
    """ts:health has less patience than redis.timeout, and says how much it had."""
    installation, _ = guarded
    journey = installation.start("journey")
    assert eventually(lambda: lines(journey, "partition recovered"), 20), tail(journey.log)
    with own_redis.frozen("redis"):
        assert eventually(lambda: lines(journey, "redis is away"), 20), tail(journey.log)
    assert "no answer within 1000 ms" in lines(journey, "redis is away")[0], tail(journey.log)


def test_a_redis_that_ends_idle_connections(guarded):
    """Its `timeout`, or a firewall's: that is not being away, and who looks at the page after a quiet night gets an answer."""
    installation, client = guarded
    page = "127.0.0.1:%d" % free_port()
    sink, dashboard = installation.start("sink"), installation.start("dashboard", settings={"dashboard.listen": page})
    ask = lambda: requests.get("http://%s/api/kpis?window=24h" % page, timeout=10).status_code
    write(installation, 1.0)
    assert eventually(lambda: has(installation, client, 1.0), 20), tail(sink.log)
    assert eventually(lambda: ask() == 200, 20), tail(dashboard.log)
    ids = lambda: {one["id"] for one in client.client_list(_type="normal")}
    client.config_set("timeout", 1)  # seconds: whoever asks each second is none of those
    for _ in range(3):
        assert ask() == 200
        known = ids()
        assert eventually(lambda: known - ids(), 20), known
        assert ask() == 200
    client.config_set("timeout", 0)
    write(installation, 2.0)
    assert eventually(lambda: has(installation, client, 2.0), 20), tail(sink.log)
    assert "redis is away" not in installation.logs(), installation.logs()
