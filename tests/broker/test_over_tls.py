"""Redis that wants TLS and a certificate, a schema registry behind HTTPS and a password, and our own collector, page and metrics over HTTPS. What works in
the clear works there; who is refused, or knocks at the wrong door, is told why."""

import base64
import functools
import http.server
import itertools
import json
import os
import shutil
import socket
import ssl
import threading
import urllib.error
import urllib.request

import pytest
import redis
import requests
from certificates import PASSWORD, make_certificates, openssl
from installation import eventually, free_port, tail
from own_services import OwnServices
from test_bad_input import good
from test_redis_refuses import has, write


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates") / "made"
    make_certificates(folder)
    return folder


def is_open(address):
    host, port = address.split(":")
    with socket.socket() as one:
        return one.connect_ex((host, int(port))) == 0


def finding(done, name):
    return next((line for line in done.stdout.splitlines() if line.startswith(name)), done.stdout + done.stderr)


# --- Redis

def show_certificate(client, certificates, name):
    client.config_set("tls-cert-file", str(certificates / (name + ".pem")), "tls-key-file", str(certificates / (name + ".key")))


@pytest.fixture
def closed(make_installation, tmp_path, certificates):
    """(installation, a client by its plain port, the settings that open its port for TLS)"""
    services = OwnServices(tmp_path / "services", "redis")
    host, port = services.addresses["REDIS"].split(":")
    client = redis.Redis(host, int(port), decode_responses=True)
    show_certificate(client, certificates, "server")
    client.config_set("tls-ca-cert-file", str(certificates / "ca.pem"))
    door = free_port()
    client.config_set("tls-port", door)
    settings = {"redis.address": "127.0.0.1:%d" % door, "redis.tls": True, "redis.tls_ca_location": str(certificates / "ca.pem"),
                "redis.tls_certificate_location": str(certificates / "client.pem"), "redis.tls_key_location": str(certificates / "client.locked.key"),
                "redis.tls_key_password": PASSWORD}
    yield make_installation(**settings), client, settings
    services.stop()


def test_redis_over_tls(closed):
    """Written, shown, told as it happens; and again after Redis was away."""
    installation, client, _ = closed
    assert " ok " in finding(installation.succeed("check"), "redis")
    page = "127.0.0.1:%d" % free_port()
    sink, dashboard = installation.start("sink"), installation.start("dashboard", settings={"dashboard.listen": page})
    write(installation, 1.0)
    assert eventually(lambda: has(installation, client, 1.0), 20), tail(sink.log)
    shown = lambda: {one["kpi"]: one for one in requests.get("http://%s/api/kpis?window=24h" % page, timeout=10).json()["kpis"]}["nps"]["value"]
    assert eventually(lambda: is_open(page) and shown() == 1.0, 20), tail(dashboard.log)
    with requests.get("http://%s/api/stream" % page, stream=True, timeout=20) as stream:
        # The second hello says that from here on values are told (sinks/dashboard/live.c). There is a line every other second even in silence.
        heard = itertools.islice(stream.iter_lines(), 40)
        assert all(b"event: hello" in heard for _ in range(2))
        write(installation, 2.0)
        assert any(b"nps" in line for line in heard)
    client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    write(installation, 3.0)
    assert eventually(lambda: has(installation, client, 3.0), 20), tail(sink.log)
    assert eventually(lambda: shown() == 3.0, 10), tail(dashboard.log)
    assert PASSWORD not in installation.logs()
    assert installation.stop(sink) == 0 and installation.stop(dashboard) == 0


@pytest.mark.parametrize("wrong, reason", [
    ({"redis.tls_ca_location": "stranger.pem"}, "certificate"),
    ({"redis.tls_certificate_location": "", "redis.tls_key_location": ""}, "certificate"),
    ({"redis.tls_key_password": "guessed"}, "client.locked.key: bad decrypt"),
    ({"redis.tls": False, "redis.tls_ca_location": "", "redis.tls_certificate_location": "", "redis.tls_key_location": ""}, "redis.tls: true"),
], ids=["an authority nobody trusts", "no certificate", "the key's password", "no TLS"])
def test_who_redis_refuses_is_told_why(closed, certificates, wrong, reason):
    installation, _, settings = closed
    wrong = {key: str(certificates / value) if str(value).endswith(".pem") else value for key, value in wrong.items()}
    installation.write_config({**installation.settings, **wrong})
    done = installation.run("check")
    assert done.returncode == 1 and "FAILED" in finding(done, "redis") and reason in finding(done, "redis"), done.stdout + done.stderr
    assert "guessed" not in done.stdout + done.stderr


def test_a_certificate_for_another_name(closed, certificates):
    installation, client, settings = closed
    show_certificate(client, certificates, "elsewhere")
    done = installation.run("check")
    assert done.returncode == 1 and "mismatch" in finding(done, "redis"), done.stdout + done.stderr


def test_tls_where_redis_has_none(closed):
    installation, client, _ = closed
    installation.write_config({**installation.settings, "redis.address": "127.0.0.1:%d" % client.connection_pool.connection_kwargs["port"]})
    done = installation.run("check")
    assert done.returncode == 1 and "FAILED" in finding(done, "redis") and "redis.tls: false" in finding(done, "redis"), done.stdout + done.stderr


@pytest.mark.parametrize("key, wrong, said", [
    ("redis.tls_ca_location", {"redis.tls_ca_location": "/nowhere.pem"}, "cannot read /nowhere.pem: No such file or directory"),
    ("redis.tls_ca_location", {"redis.tls": False}, "redis.tls is not true"),
    ("redis.tls_key_location", {"redis.tls": True, "redis.tls_certificate_location": ""}, "needs redis.tls_certificate_location, too"),
    ("registry.tls_ca_location", {"registry.tls_ca_location": "/nowhere.pem"}, "cannot read /nowhere.pem: No such file or directory"),
    *[(section + ".tls_certificate_location", {section + ".tls_certificate_location": "/nowhere.pem"}, "needs %s.tls_key_location, too" % section)
      for section in ("ingest", "dashboard", "status")],
])
def test_settings_that_cannot_work(make_installation, certificates, key, wrong, said):
    """Before anything is connected to, with file, line and key."""
    settings = {"redis.tls": True, "redis.tls_ca_location": str(certificates / "ca.pem"), "redis.tls_certificate_location": str(certificates / "client.pem"),
                "redis.tls_key_location": str(certificates / "client.key")}
    installation = make_installation(topics=False, **{**settings, **wrong})
    done = installation.run("check")
    line = next(number for number, text in enumerate(installation.config.read_text().splitlines(), 1) if text.startswith(key))
    assert done.returncode == 2 and "%s:%d: %s" % (installation.config, line, key) in done.stderr and said in done.stderr, done.stdout + done.stderr


# --- the registry

class Doorman(http.server.BaseHTTPRequestHandler):
    """Lets through to the registry who knows the password."""
    LOGIN = "Basic " + base64.b64encode(("key:" + PASSWORD).encode()).decode()

    def do(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
        try:
            if self.headers.get("Authorization") != self.LOGIN:
                raise urllib.error.HTTPError(self.path, 401, "who are you?", {}, None)
            request = urllib.request.Request(self.server.registry + self.path, body, {"Content-Type": "application/json"}, method=self.command)
            with urllib.request.urlopen(request, timeout=30) as answer:
                status, said = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, said = error.code, error.read() if error.fp else b"{}"
        self.send_response(status)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST = do_PUT = do

    def log_message(self, *_):
        pass


@pytest.fixture
def guarded_registry(services, certificates):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Doorman)
    server.registry = services["REGISTRY"]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    context.load_verify_locations(certificates / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {"registry.url": "https://127.0.0.1:%d" % server.server_port, "registry.username": "key",
           "registry.tls_ca_location": str(certificates / "ca.pem"), "registry.tls_certificate_location": str(certificates / "client.pem"),
           "registry.tls_key_location": str(certificates / "client.locked.key"), "registry.tls_key_password": PASSWORD}
    server.shutdown()
    server.server_close()


def test_a_registry_behind_https_and_a_password(make_installation, guarded_registry):
    installation = make_installation(topics=False, **guarded_registry)
    secret = {"TOUCHSTREAM_REGISTRY_PASSWORD": PASSWORD}
    done = installation.run("check")
    assert done.returncode == 1 and "401" in finding(done, "registry"), done.stdout + done.stderr
    installation.succeed("topics", environment=secret)
    assert " ok " in finding(installation.succeed("check", environment=secret), "registry")
    installation.succeed("import", "-", input=json.dumps(good(customer_id="guarded")), environment=secret)
    assert "guarded" in installation.succeed("inspect", "touchpoints", environment=secret).stdout
    assert PASSWORD not in installation.logs()


def test_a_registry_that_is_not_who_it_should_be(make_installation, guarded_registry, certificates):
    installation = make_installation(topics=False, **{**guarded_registry, "registry.password": PASSWORD,
                                                      "registry.tls_ca_location": str(certificates / "stranger.pem")})
    done = installation.run("check")
    assert done.returncode == 1 and "FAILED" in finding(done, "registry") and "certificate" in finding(done, "registry"), done.stdout + done.stderr


# --- ourselves

def locked(section, certificates, **more):
    """The server's certificate, with a key that has a password."""
    openssl(certificates, "pkcs8", "-topk8", "-in", "server.key", "-passout", "pass:" + PASSWORD, "-out", "server.locked.key")
    return {section + ".listen": "127.0.0.1:%d" % free_port(), section + ".tls_certificate_location": str(certificates / "server.pem"),
            section + ".tls_key_location": str(certificates / "server.locked.key"), section + ".tls_key_password": PASSWORD, **more}


def serial_shown(address, certificates):
    """Of the certificate that a new connection is shown."""
    context = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), 10) as plain, context.wrap_socket(plain, server_hostname=host) as secure:
        return int(secure.getpeercert()["serialNumber"], 16)


def renew(certificates, serial, folder, key_first=False):
    """Puts a new pair where the old one was, one file after the other as a renewing program does."""
    openssl(certificates, "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=server", "-keyout", "new.key", "-out", "new.csr")
    (certificates / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl(certificates, "x509", "-req", "-in", "new.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", str(serial), "-days", "2", "-extfile", "names",
            "-out", "new.pem")
    for name in ("key", "pem") if key_first else ("pem", "key"):
        shutil.copy(certificates / ("new." + name), folder / ("part." + name))
        os.replace(folder / ("part." + name), folder / ("shown." + name))
        yield name


def test_a_certificate_that_is_renewed_is_shown_without_a_restart(make_installation, certificates, tmp_path):
    for name in ("pem", "key"):
        shutil.copy(certificates / ("server." + name), tmp_path / ("shown." + name))
    address = "127.0.0.1:%d" % free_port()
    installation = make_installation(**{"dashboard.listen": address, "dashboard.tls_certificate_location": str(tmp_path / "shown.pem"),
                                        "dashboard.tls_key_location": str(tmp_path / "shown.key")})
    page = installation.start("dashboard")
    assert eventually(lambda: is_open(address), 20), tail(page.log)
    shown = lambda: serial_shown(address, certificates)
    complaints = lambda: page.log.read_text().count("cannot be used")
    before = shown()
    with requests.get("https://%s/api/stream" % address, verify=str(certificates / "ca.pem"), stream=True, timeout=60) as stream:
        lines = stream.iter_lines()
        assert next(lines)
        for turn, (serial, key_first) in enumerate(((4711, False), (4712, True)), 1):
            steps = renew(certificates, serial, tmp_path, key_first)
            next(steps)  # a certificate beside another's key: what was shown is shown on
            assert eventually(lambda: shown() == before and complaints() == turn, 20, 0.3), tail(page.log)
            next(steps)
            assert eventually(lambda: shown() == serial, 20, 0.3), tail(page.log)
            before = serial
        (tmp_path / "shown.key").unlink()
        assert eventually(lambda: shown() == 4712 and complaints() == 3, 20, 0.3), tail(page.log)
        assert next(line for line in lines if line)  # whoever was there stays
    assert page.log.read_text().count("read anew") == 2 and page.poll() is None


def test_a_collector_over_https(make_installation, certificates):
    settings = locked("ingest", certificates)
    installation = make_installation(**settings)
    collector, url = installation.start("ingest"), "%s://" + settings["ingest.listen"] + "/v1/touchpoints"
    ask, trust = requests.Session(), str(certificates / "ca.pem")
    post = lambda **how: ask.post(url % "https", timeout=20, verify=trust, headers={"Content-Type": "application/json"}, **how).status_code
    assert eventually(lambda: is_open(settings["ingest.listen"]), 20), tail(collector.log)
    assert eventually(lambda: post(data=json.dumps(good(customer_id="guarded"))) == 200, 20), tail(collector.log)
    assert post(data="[" + ",".join(json.dumps(good(customer_id="many%d" % i)) for i in range(5000)) + "]") == 200
    assert post(data="{") == 400 and post(data="x" * (9 << 20)) == 413
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.post(url % "http", data="{}", timeout=10)
    with pytest.raises(requests.exceptions.SSLError):
        requests.post(url % "https", data="{}", timeout=10, verify=str(certificates / "stranger.pem"))
    assert installation.stop(collector) == 0
    assert len(installation.succeed("inspect", "touchpoints").stdout.splitlines()) == 5001
    assert "level=error" not in installation.logs() and "level=warning" not in installation.logs(), installation.logs()


def test_a_page_over_https(make_installation, certificates):
    settings = locked("dashboard", certificates)
    installation = make_installation(**settings)
    page, sink, url = installation.start("dashboard"), installation.start("sink"), "https://" + settings["dashboard.listen"]
    ask = functools.partial(requests.get, verify=str(certificates / "ca.pem"))
    write(installation, 1.0)
    assert eventually(lambda: is_open(settings["dashboard.listen"]), 20), tail(page.log)
    assert eventually(lambda: ask(url + "/api/kpis?window=24h", timeout=10).json().get("kpis"), 20), tail(page.log)
    assert "<html" in ask(url + "/", timeout=10).text
    with ask(url + "/api/stream", stream=True, timeout=20) as stream:
        # The second hello says that from here on values are told (sinks/dashboard/live.c). There is a line every other second even in silence.
        heard = itertools.islice(stream.iter_lines(), 40)
        assert all(b"event: hello" in heard for _ in range(2))
        write(installation, 2.0)
        assert any(b"nps" in line for line in heard)
        assert installation.stop(page) == 0
    assert installation.stop(sink) == 0


def test_metrics_over_https(make_installation, certificates):
    """And the health beside them."""
    settings = locked("status", certificates)
    installation = make_installation(**settings)
    sink, url = installation.start("sink"), "%s://" + settings["status.listen"]
    ask = functools.partial(requests.get, verify=str(certificates / "ca.pem"), timeout=10)
    assert eventually(lambda: is_open(settings["status.listen"]), 20), tail(sink.log)
    assert ask(url % "https" + "/healthz").text == "ok\n"
    assert eventually(lambda: ask(url % "https" + "/readyz").status_code == 200, 20), tail(sink.log)
    assert eventually(lambda: "touchstream_follow_behind_seconds" in ask(url % "https" + "/metrics").text, 20), tail(sink.log)
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(url % "http" + "/metrics", timeout=10)
    with pytest.raises(requests.exceptions.SSLError):
        ask(url % "https" + "/metrics", verify=str(certificates / "stranger.pem"))
    assert installation.stop(sink) == 0
    assert PASSWORD not in installation.logs() and "level=warning" not in installation.logs(), installation.logs()


def test_no_metrics_rather_than_no_service(make_installation, certificates):
    """With a key that is not the certificate's a service works on without them, and never in the clear; the log names the file."""
    settings = locked("status", certificates, **{"status.tls_key_location": str(certificates / "client.key")})
    installation = make_installation(**settings)
    sink = installation.start("sink")
    write(installation, 1.0)
    assert eventually(lambda: has(installation, installation.redis, 1.0), 20), tail(sink.log)
    assert not is_open(settings["status.listen"]) and "client.key: key values mismatch" in sink.log.read_text(), tail(sink.log)
    assert installation.stop(sink) == 0


def test_a_key_that_is_not_the_certificates(make_installation, certificates):
    """Said at the start, with the file."""
    installation = make_installation(**locked("ingest", certificates, **{"ingest.tls_key_location": str(certificates / "client.key")}))
    done = installation.run("ingest", timeout=30)
    assert done.returncode == 1 and "client.key" in done.stderr and "mismatch" in done.stderr, done.stderr
