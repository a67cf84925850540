"""What who sets up receivers and silences asks the program, and what it does when they change."""

import socket
import ssl
import subprocess
import threading
import time

import pytest
from installation import eventually, free_port, patience
from test_mission import SECRET, receivers  # noqa: F401, a fixture
from test_notifying import CASE, Alerts, told, url


def lines_of(done, name):
    return [line.split(None, 2) for line in done.stdout.splitlines() if line.split()[0] == name]


# --- check ------------------------------------------------------------------------------------------------------------

@pytest.fixture
def mute():
    """Accepts connections and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield "127.0.0.1:%d" % listener.getsockname()[1]


@pytest.fixture
def self_signed(tmp_path):
    """Speaks TLS with a certificate that nobody vouches for."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(8)

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                context.wrap_socket(connection, server_side=True).close()
            except OSError:
                connection.close()
    threading.Thread(target=serve, daemon=True).start()
    yield "127.0.0.1:%d" % listener.getsockname()[1], str(tmp_path / "cert.pem")
    listener.close()


def test_check_says_which_receivers_are_reached_and_sends_none_anything(make_installation, receivers, mute, self_signed):  # noqa: F811
    good = receivers()
    tls, certificate = self_signed
    there = [{"name": "good", "url": url(good).replace("http://", "http://who:secret@")}, {"name": "closed", "url": "http://127.0.0.1:%d/T0/secret" % free_port()},
             {"name": "doubtful", "url": "https://%s/T0/secret" % tls}, {"name": "nowhere", "url": "https://nobody.invalid/T0/secret"}]
    there += [{"name": "mute %d" % number, "url": "https://%s/T0/secret" % mute} for number in range(5)]
    installation = make_installation(**{"notify.receivers": there})
    began = time.monotonic()
    done = installation.run("check")
    assert done.returncode == 1
    assert time.monotonic() - began < 10 * patience(), "all of them at once"
    found = {line[2].split(" is ")[0].removeprefix("receiver "): line for line in lines_of(done, "notify")}
    assert found["good"][1] == "ok", done.stdout
    for name, why in {"closed": "Failed to connect", "doubtful": "self-signed certificate", "nowhere": "resolve", "mute 0": "imed out", "mute 4": "imed out"}.items():
        assert found[name][1] == "FAILED" and why in found[name][2] and "is its url right" in found[name][2], done.stdout
    assert "secret" not in done.stdout + done.stderr and not good.got


def test_check_finds_the_mistake_in_the_file_of_silences(make_installation, tmp_path):
    file = tmp_path / "silences.yaml"
    installation = make_installation(**{"notify.silences_file": str(file)})
    for text, line in ((None, "cannot be read"), ("- {author: a, reason: b, until: 2099-01-01, rules: [case]}\n- {author: a, reason: b, rules: [case]}\n", ":2: notify.silences: a silence needs an end"),
                       ("notify:\n  silences: []\n", "is a list"),
                       ("- {author: a, reason: b, until: 2099-01-01, rules: [case],\n   rules: [test]}\n", ":2: notify.silences.rules: stands twice"), ("- [\n", "not YAML")):
        if text:
            file.write_text(text)
        done = installation.run("check")
        assert done.returncode == 1, done.stdout
        (_, verdict, said), = lines_of(done, "notify")
        assert verdict == "FAILED" and str(file) in said and line in said, done.stdout
    file.write_text("# none now\n")
    assert "0 silences" in installation.succeed("check").stdout


# --- a test alert -----------------------------------------------------------------------------------------------------

def test_a_test_alert_goes_the_way_of_all_alerts(make_installation, receivers):  # noqa: F811
    plain, channel, pager, broken = receivers(), receivers(), receivers(), receivers(lambda body, attempt: 403)
    broken.answer = b"no such hook\nand more"
    installation = make_installation(topics=False, **{"kafka.brokers": "127.0.0.1:1", "notify.receivers": [  # it needs no Kafka
        {"name": "plain", "url": url(plain), "secret": SECRET, "severity": "critical", "rules": ["case"]},
        {"name": "channel", "form": "slack", "url": url(channel), "group_by": ["rule"], "group_wait": "1h", "severity": "warning"},
        {"name": "pager", "form": "pagerduty", "url": url(pager), "secret": "key", "after": "1h"},
        {"name": "broken", "url": url(broken), "group_by": []}, {"name": "gone", "url": "http://127.0.0.1:%d/" % free_port()}]})
    done = installation.run("notify", "--test")
    assert done.returncode == 1
    said = {line.split()[0]: line.split(None, 2)[1:] for line in done.stdout.splitlines()}
    assert {name: verdict for name, (verdict, _) in said.items()} == {"plain": "ok", "channel": "ok", "pager": "ok", "broken": "FAILED", "gone": "FAILED"}, done.stdout
    assert said["plain"][1].startswith("HTTP 200 in ") and said["broken"][1].startswith("HTTP 403 in ") and said["broken"][1].endswith(": no such hook")
    assert "connect" in said["gone"][1]
    (_, id, body, is_signed), = plain.got
    assert is_signed and id == body["data"]["alert_id"] + ".1" and id.startswith("test-")
    assert body["type"] == "touchstream.alert" and body["data"]["rule"] == "test" and body["data"]["severity"] == "CRITICAL" and "TEST, nobody need act" in body["data"]["text"]
    assert channel.got[0][2]["text"].startswith("WARNING OPEN: TEST, nobody need act")
    assert pager.got[0][2]["event_action"] == "trigger" and pager.got[0][2]["routing_key"] == "key" and "TEST" in pager.got[0][2]["payload"]["summary"]
    assert [body["event_action"] for _, _, body, _ in pager.got] == ["trigger", "resolve"] and pager.got[0][2]["dedup_key"] == pager.got[1][2]["dedup_key"]
    assert pager.got[0][1] != pager.got[1][1] and "resolved" in said["pager"][1]
    assert broken.got[0][2]["type"] == "touchstream.alerts" and len(broken.got) == 1, "once"

    done = installation.succeed("notify", "--test", "pager", "plain")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["plain", "pager"] and len(channel.got) == 1
    done = installation.run("notify", "--test", "plane")
    assert done.returncode == 2 and "no receiver is called 'plane'; the nearest is 'plain'" in done.stderr
    done = installation.run("notify", "plain")
    assert done.returncode == 2 and "--test" in done.stderr


def test_who_does_not_take_the_end_of_the_test_has_an_incident_left(make_installation, receivers):  # noqa: F811
    pager = receivers(lambda body, attempt: 500 if body["event_action"] == "resolve" else 202)
    installation = make_installation(topics=False, **{"kafka.brokers": "127.0.0.1:1", "notify.receivers": [{"name": "pager", "form": "pagerduty", "url": url(pager), "secret": "key"}]})
    done = installation.run("notify", "--test")
    assert done.returncode == 1 and "by hand" in done.stdout and "HTTP 500" in done.stdout, done.stdout


def put_into(file, text):
    """At once: an empty file, as it is for a moment when it is written anew, means that there is no silence."""
    fresh = file.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(file)


# --- silences without a restart ---------------------------------------------------------------------------------------

def test_a_changed_file_of_silences_is_taken_and_one_with_a_mistake_is_not(make_installation, receivers, tmp_path):  # noqa: F811
    desk, channel = receivers(), receivers()
    file = tmp_path / "silences.yaml"
    file.write_text("[]\n")
    installation = make_installation(**{"notify.silences_file": str(file), "notify.receivers": [
        {"name": "desk", "url": url(desk)}, {"name": "channel", "url": url(channel), "group_by": ["customer"], "group_wait": "0s", "group_interval": "0s"}]})
    alerts = Alerts(installation)
    notify = installation.start("notify")
    log = lambda: notify.log.read_text()
    heard = lambda receiver: {(one["data"]["text"], one["data"]["state"]) for _, _, body, _ in receiver.got for one in body.get("alerts", [body])}
    def all_heard(*wanted):
        assert eventually(lambda: heard(desk) >= set(wanted) and heard(channel) >= set(wanted), 30), (heard(desk), heard(channel), installation.logs())
    alerts.put("first", **{**CASE, "customer_id": "quiet"})
    all_heard(("first", "OPEN"))

    put_into(file, "- {author: Ada, reason: they know, until: 2099-01-01, customers: [quiet]}\n")
    assert eventually(lambda: "the silences have changed" in log() and "they know" in log(), 20), log()
    alerts.put("silent", **{**CASE, "customer_id": "quiet"})
    alerts.put("loud", **CASE)
    all_heard(("loud", "OPEN"))

    put_into(file, "- {author: Ada, reason: they know, until: 2099-01-01, customers: [quiet]}\n- {author: Bob, until: 2099-01-01, rules: [case]}\n")
    assert eventually(lambda: "silences.yaml:2: notify.silences: a silence needs an author and a reason" in log(), 20), log()
    alerts.put("loud too", **CASE)
    alerts.put("first", "RESOLVED", customer_id="quiet")
    all_heard(("loud too", "OPEN"), ("first", "RESOLVED"))
    assert ("silent", "OPEN") not in heard(desk) | heard(channel)
    assert log().count("the silences are not taken") == 1, "told once"

    put_into(file, "")  # it ends before its time: what is open is told
    all_heard(("silent", "OPEN"))
    for receiver in (desk, channel):
        ids = [id for _, id, *_ in receiver.got]
        assert len(ids) == len(set(ids)) == 5, ids
    assert installation.stop(notify) == 0


def test_a_file_of_silences_with_a_mistake_is_told_at_the_start(make_installation, receivers, tmp_path):  # noqa: F811
    desk = receivers()
    file = tmp_path / "silences.yaml"
    file.write_text("- {author: Ada, reason: they know, until: 2099-01-01, customer: [quiet]}\n")
    installation = make_installation(**{"notify.silences_file": str(file), "notify.receivers": [{"name": "desk", "url": url(desk)}]})
    done = installation.run("notify")
    assert done.returncode == 1 and "silences.yaml:1: notify.silences.customer: there is no such setting; the nearest is 'customers'" in done.stderr, done.stderr
