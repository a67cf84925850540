"""Services of one test's own, so that they may be killed, starved and cut off."""

import base64
import concurrent.futures
import contextlib
import os
import pathlib
import random
import signal
import socket
import subprocess
import time
import uuid

import pytest
from installation import eventually

ROOT = pathlib.Path(__file__).resolve().parents[2]


class OwnServices:
    """Those that `only` names, under a folder and on ports of their own; with more settings for Kafka, made of the first of those ports."""

    def __init__(self, folder, only, kafka_properties=None, base=None):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.only, self.base = folder, only, base or free_base()
        if kafka_properties:
            (folder / "kafka.properties").write_text(kafka_properties(self.base))
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        every = {"KAFKA": "127.0.0.1:%d" % (self.base + 4), "REGISTRY": "http://127.0.0.1:%d/apis/ccompat/v7" % (self.base + 3),
                 "REDIS": "127.0.0.1:%d" % (self.base + 6)}
        self.addresses = {name: address for name, address in every.items() if name.lower() in only.split(",")}

    def control(self, verb, only, check):
        with open(self.folder / "control.log", "ab") as log:
            subprocess.run([str(ROOT / "deploy/services/control"), verb, "--dir", str(self.folder), "--ports", str(self.base),
                            "--only", only, "--heap", "384"], check=check, stdout=log, stderr=log, timeout=150, cwd=self.folder)

    def start(self, name=None):
        """Ends when it answers."""
        self.control("start", name or self.only, True)

    def stop(self, name=None):
        self.control("stop", name or self.only, False)

    def kill(self, name):
        """Ends when its ports are free again, which on a busy machine takes a while."""
        os.kill(int((self.folder / (name + ".pid")).read_text()), signal.SIGKILL)
        self.wait_until_gone(name)

    @contextlib.contextmanager
    def frozen(self, name):
        process = int((self.folder / (name + ".pid")).read_text())
        os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(process, signal.SIGCONT)

    def freeze(self, name, seconds):
        with self.frozen(name):
            time.sleep(seconds)

    def wait_until_gone(self, name):
        ports = {"registry": (3,), "kafka": (4, 5), "redis": (6,)}[name]
        assert eventually(lambda: all(is_free(self.base + port) for port in ports), 60, 0.1), "%s does not end" % name


@pytest.fixture
def own_redis(tmp_path):
    services = OwnServices(tmp_path / "services", "redis")
    yield services
    services.stop()


class OwnCluster:
    """Three brokers, each with a copy of everything; what is written is acknowledged by two."""

    SETTINGS = {"offsets.topic.replication.factor": 3, "transaction.state.log.replication.factor": 3, "transaction.state.log.min.isr": 2,
                "default.replication.factor": 3, "min.insync.replicas": 2, "broker.session.timeout.ms": 3000, "broker.heartbeat.interval.ms": 500}

    def __init__(self, folder):
        bases, cluster = set(), base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[:22]
        while len(bases) < 3:
            bases.add(free_base())
        places = list(enumerate(sorted(bases), 1))
        voters = ",".join("%d@127.0.0.1:%d" % (number, base + 5) for number, base in places)

        def start(place):  # none answers before most are there
            number, base = place
            home = folder / ("broker%d" % number)
            (home / "data").mkdir(parents=True)
            (home / "data" / "kafka.id").write_text(cluster)
            lines = {"node.id": number, "controller.quorum.voters": voters, **self.SETTINGS}
            return OwnServices(home, "kafka", lambda _: "".join("%s=%s\n" % line for line in lines.items()), base)
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            self.brokers = list(pool.map(start, places))
        self.addresses = {"KAFKA": ",".join(one.addresses["KAFKA"] for one in self.brokers)}

    def stop(self):
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            list(pool.map(OwnServices.stop, self.brokers))


def is_free(port):
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


CLAIMS = []


def free_base():
    """Of twenty ports that stay ours until we end: the first of them is kept open, since other tests look for theirs at the same moment."""
    for base in random.sample(range(25100, 26900, 20), 90):
        if all(is_free(base + offset) for offset in range(3, 10)):
            with contextlib.suppress(OSError):
                CLAIMS.append(socket.create_server(("127.0.0.1", base)))
                return base
    pytest.skip("no free ports")
