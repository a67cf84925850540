"""A primary Redis, its replica and Sentinel's three instances: whoever is the primary has everything, whatever the other one took with it."""

import contextlib
import json
import signal
import socketserver
import subprocess
import threading
import time

import pytest
import redis
import requests

from certificates import make_certificates
from installation import eventually, free_port, tail
from test_redis_sink import Topics, alert, kpi

NAME = "shop"


class Guarded:
    """Two Redis, one of them the primary, and three sentinels that need two for a change. With `certificates` they speak TLS alone."""

    def __init__(self, folder, certificates=None):
        folder.mkdir()
        self.folder, self.processes, self.certificates = folder, {}, certificates
        self.tls = {"tls-cert-file": certificates / "server.pem", "tls-key-file": certificates / "server.key", "tls-ca-cert-file": certificates / "ca.pem",
                    "tls-auth-clients": "no", "tls-replication": "yes"} if certificates else {}
        self.ports = {name: free_port() for name in ("first", "second", "s1", "s2", "s3")}
        self.start("first")
        self.start("second", "--replicaof", "127.0.0.1", str(self.ports["first"]))
        assert eventually(lambda: self.client("second").info("replication").get("master_link_status") == "up", 20, 0.1)
        for name in ("s1", "s2", "s3"):
            (folder / (name + ".conf")).write_text(
                "%s\nbind 127.0.0.1\ndir %s\nsentinel monitor %s 127.0.0.1 %d 2\nsentinel down-after-milliseconds %s 1000\n"
                "sentinel failover-timeout %s 3000\n" % ("\n".join("%s %s" % one for one in self.listening(name).items()), folder, NAME,
                                                         self.ports["first"], NAME, NAME))
            self.run(name, "redis-server", str(folder / (name + ".conf")), "--sentinel")
        assert eventually(lambda: all(self.knows(name) for name in ("s1", "s2", "s3")), 20, 0.1)

    def listening(self, name):
        return {"port": 0, "tls-port": self.ports[name], **self.tls} if self.tls else {"port": self.ports[name]}

    def run(self, name, *command):
        self.processes[name] = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=self.folder)

    def start(self, name, *more):
        listening = [str(word) for key, value in self.listening(name).items() for word in ("--" + key, value)]
        self.run(name, "redis-server", *listening, "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder), *more)
        assert eventually(lambda: self.answers(name), 20, 0.1)

    def client(self, name):
        tls = {"ssl": True, "ssl_ca_certs": str(self.certificates / "ca.pem")} if self.certificates else {}
        return redis.Redis("127.0.0.1", self.ports[name], decode_responses=True, socket_timeout=5, **tls)

    def answers(self, name):
        with contextlib.suppress(redis.RedisError):
            return self.client(name).ping()

    def knows(self, name):
        """The replica and both other sentinels."""
        with contextlib.suppress(redis.RedisError):
            master = self.client(name).sentinel_master(NAME)
            return master["num-slaves"] >= 1 and master["num-other-sentinels"] == 2

    def address(self, name):
        return "127.0.0.1:%d" % self.ports[name]

    @property
    def settings(self):
        return {"redis.address": "127.0.0.1:1", "redis.sentinels": [self.address(name) for name in ("s1", "s2", "s3")], "redis.sentinel_name": NAME}

    def kill(self, name):
        self.processes[name].send_signal(signal.SIGCONT)
        self.processes[name].kill()
        self.processes[name].wait(5)

    def finish(self):
        for name in self.processes:
            self.kill(name)


@pytest.fixture
def guarded(tmp_path):
    one = Guarded(tmp_path / "guarded")
    yield one
    one.finish()


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """For tests in which no Redis dies."""
    one = Guarded(tmp_path_factory.mktemp("calm") / "guarded")
    yield one
    one.finish()


def value_in(guarded, installation, name, dimension="all"):
    with contextlib.suppress(redis.RedisError):
        text = guarded.client(name).hget(installation.redis_prefix + "kpi:nps:24h", dimension)
        return text and json.loads(text)["value"]


def test_a_primary_that_dies_is_followed_to_its_replica(guarded, make_installation):
    port = free_port()
    installation = make_installation(**{**guarded.settings, "dashboard.listen": "127.0.0.1:%d" % port})
    sink, topics = installation.start("sink"), Topics(installation)
    page = installation.start("dashboard")

    def shown():
        with contextlib.suppress(requests.RequestException):
            return [row["value"] for row in requests.get("http://127.0.0.1:%d/api/kpis?kpi=nps&window=24h" % port, timeout=10).json().get("kpis", [])]

    topics.put("kpis", "nps|24h|all", kpi(1.0))
    topics.put("alerts", "case-1", alert("case-1", "OPEN", 45.0))
    topics.flush()
    assert eventually(lambda: value_in(guarded, installation, "first") == 1.0 and shown() == [1.0], 30), installation.logs()
    assert installation.run("check").stdout.count("%s, which is the primary '%s'" % (guarded.address("first"), NAME)) == 1

    guarded.kill("first")
    for number in range(50):  # comes while nobody is there to take it
        topics.put("kpis", "nps|24h|all", kpi(2.0 + number))
        topics.put("kpis", "nps|24h|channel=EMAIL", kpi(100.0 + number, dimension="channel=EMAIL"))
        topics.flush()
        time.sleep(0.02)
    both = lambda: [value_in(guarded, installation, "second", dimension) for dimension in ("all", "channel=EMAIL")]  # of two partitions
    assert eventually(lambda: both() == [51.0, 149.0], 40), (both(), tail(sink.log))
    assert eventually(lambda: guarded.client("second").hget(installation.redis_prefix + "case:case-1", "state") == "open", 40), tail(sink.log)
    assert eventually(lambda: shown() == [51.0], 30), tail(page.log)
    told = sink.log.read_text()
    assert told.count("redis is away") <= 2 and "redis is back\" address=%s" % guarded.address("second") in told, told  # the sink's link, and its health's


def test_over_tls(tmp_path, make_installation):
    make_certificates(tmp_path / "certificates")
    guarded = Guarded(tmp_path / "guarded", tmp_path / "certificates")
    try:
        installation = make_installation(**{**guarded.settings, "redis.tls": True, "redis.tls_ca_location": str(tmp_path / "certificates" / "ca.pem")})
        sink, topics = installation.start("sink"), Topics(installation)
        for value, killed, holder in ((1.0, None, "first"), (2.0, "first", "second")):
            if killed:
                guarded.kill(killed)
            topics.put("kpis", "nps|24h|all", kpi(value))
            topics.flush()
            assert eventually(lambda: value_in(guarded, installation, holder) == value, 40), tail(sink.log)
    finally:
        guarded.finish()


def test_what_the_replica_had_not_heard_of_is_written_again(guarded, make_installation):
    """Replication is not waited for. Positions stand beside the data, so the sink goes back to where the new primary is."""
    installation = make_installation(**guarded.settings)
    sink, topics = installation.start("sink"), Topics(installation)
    topics.put("kpis", "nps|24h|all", kpi(1.0))
    topics.flush()
    assert eventually(lambda: value_in(guarded, installation, "second") == 1.0, 30), tail(sink.log)
    guarded.client("second").replicaof("NO", "ONE")  # it hears of nothing now; Sentinel would mend that after eight seconds
    for number in range(40):
        topics.put("kpis", "nps|24h|product=p%d" % number, kpi(float(number), dimension="product=p%d" % number))
    topics.flush()
    assert eventually(lambda: value_in(guarded, installation, "first", "product=p39") == 39.0, 5, 0.05), tail(sink.log)
    assert value_in(guarded, installation, "second", "product=p39") is None
    guarded.kill("first")
    dimensions = ["product=p%d" % number for number in range(40)]
    assert eventually(lambda: [value_in(guarded, installation, "second", one) for one in dimensions] == [float(n) for n in range(40)], 40), tail(sink.log)
    assert value_in(guarded, installation, "second") == 1.0


def test_a_primary_that_hangs_and_comes_back_as_a_replica(guarded, make_installation):
    installation = make_installation(**{**guarded.settings, "redis.timeout": "1s"})
    sink, topics = installation.start("sink"), Topics(installation)
    topics.put("kpis", "nps|24h|all", kpi(1.0))
    topics.flush()
    assert eventually(lambda: value_in(guarded, installation, "second") == 1.0, 30), tail(sink.log)
    guarded.processes["first"].send_signal(signal.SIGSTOP)
    topics.put("kpis", "nps|24h|all", kpi(2.0))
    topics.flush()
    assert eventually(lambda: value_in(guarded, installation, "second") == 2.0, 40), tail(sink.log)
    guarded.processes["first"].send_signal(signal.SIGCONT)
    topics.put("kpis", "nps|24h|all", kpi(3.0))
    topics.flush()
    assert eventually(lambda: value_in(guarded, installation, "second") == 3.0 == value_in(guarded, installation, "first"), 40), tail(sink.log)


def test_a_name_that_sentinel_does_not_know_and_sentinels_that_are_away(calm, make_installation):
    wrong = make_installation(**{**calm.settings, "redis.sentinel_name": "mistaken"})
    told = wrong.run("check").stdout
    assert "knows no primary 'mistaken' (redis.sentinel_name)" in told, told
    nobody = make_installation(**{**calm.settings, "redis.sentinels": ["127.0.0.1:%d" % free_port()]})
    told = nobody.run("check")
    assert told.returncode == 1 and "Connection refused" in told.stdout and "redis.sentinels" in told.stdout, told.stdout


def test_sentinels_that_want_a_password(calm, make_installation):
    for name in ("s1", "s2", "s3"):
        calm.client(name).execute_command("ACL", "SETUSER", "default", "on", ">sesame")
    shut_out = make_installation(**calm.settings)
    assert "NOAUTH" in shut_out.run("check").stdout
    assert "is the primary" in make_installation(**calm.settings, **{"redis.sentinel_password": "sesame"}).run("check").stdout
    for name in ("s1", "s2", "s3"):
        redis.Redis("127.0.0.1", calm.ports[name], password="sesame").execute_command("ACL", "SETUSER", "default", "nopass")


def test_one_sentinel_that_answers_is_enough(calm, make_installation):
    calm.kill("s1")
    calm.processes["s2"].send_signal(signal.SIGSTOP)
    installation = make_installation(**calm.settings)
    sink, topics = installation.start("sink"), Topics(installation)
    topics.put("kpis", "nps|24h|all", kpi(1.0))
    topics.flush()
    assert eventually(lambda: value_in(calm, installation, "first") == 1.0, 30), tail(sink.log)


class Word(socketserver.ThreadingTCPServer):
    """A sentinel that says what we want it to."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, port):
        self.port = port  # of whom it calls the primary
        super().__init__(("127.0.0.1", 0), self.Talk)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    class Talk(socketserver.StreamRequestHandler):
        def handle(self):
            while line := self.rfile.readline():
                words = [(self.rfile.readline(), self.rfile.readline().strip())[1] for _ in range(int(line[1:]))]
                port = str(self.server.port).encode()
                self.wfile.write(b"+PONG\r\n" if words[0] == b"PING" else b"*2\r\n$9\r\n127.0.0.1\r\n$%d\r\n%s\r\n" % (len(port), port))


def test_who_is_no_primary_any_more_or_not_yet_is_not_written_to(calm, make_installation):
    """Between a failover and its end: the one we talk to is demoted under us; Sentinel's word is ahead of what it speaks of."""
    first, second, word = calm.ports["first"], calm.ports["second"], Word(calm.ports["first"])
    for name in ("s1", "s2", "s3"):
        calm.kill(name)
    installation = make_installation(**{**calm.settings, "redis.sentinels": ["127.0.0.1:%d" % word.server_address[1]]})
    sink, topics = installation.start("sink"), Topics(installation)
    topics.put("kpis", "nps|24h|all", kpi(1.0))
    topics.flush()
    assert eventually(lambda: value_in(calm, installation, "first") == 1.0, 30), tail(sink.log)
    calm.client("first").replicaof("127.0.0.1", second)  # whose primary is it itself: nobody may be written to
    topics.put("kpis", "nps|24h|all", kpi(2.0))
    topics.flush()
    assert eventually(lambda: "it is a replica now" in sink.log.read_text(), 20), tail(sink.log)
    word.port = second
    assert eventually(lambda: "it is a replica still" in sink.log.read_text(), 20), tail(sink.log)
    calm.client("second").replicaof("NO", "ONE")
    assert eventually(lambda: value_in(calm, installation, "second") == 2.0, 20), tail(sink.log)
    word.shutdown()


@pytest.mark.parametrize("settings, said", [({"redis.sentinels": ["here:there"]}, "redis.sentinels: 'here:there' is not host:port"),
                                            ({"redis.sentinels": ["a:1"], "redis.sentinel_name": ""}, "redis.sentinel_name: is empty")])
def test_settings_that_cannot_be_right(make_installation, settings, said):
    done = make_installation(topics=False, **settings).run("check")
    assert done.returncode == 2 and said in done.stderr, done.stderr
