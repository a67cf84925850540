"""The collector over HTTP: a verdict for every record, and 2xx only for what Kafka has."""

import base64
import collections
import hashlib
import hmac
import json
import re
import signal
import socket
import uuid

import pytest
import requests
from installation import Installation, eventually, free_port
from oracle import event_from_avro, event_from_json
from own_services import OwnServices
from test_bad_input import good, nps

TOKEN = "a-token-of-our-own"


def collector(installation, name="ingest", **settings):
    """Starts one; answers its URL once it is ready."""
    port = free_port()
    process = installation.start("ingest", name=name, settings={"ingest.listen": "127.0.0.1:%d" % port, "ingest.token": TOKEN, **settings})
    url = "http://127.0.0.1:%d" % port
    assert eventually(lambda: answers(url + "/healthz"), 20), installation.logs()
    return url, process


def answers(url):
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.RequestException:
        return False


def post(url, body, path="/v1/touchpoints", type="application/json", token=TOKEN, **headers):
    data = body if isinstance(body, (bytes, str)) else json.dumps(body)
    if token:
        headers["Authorization"] = "Bearer " + token
    try:
        return requests.post(url + path, data=data, headers={"Content-Type": type, **headers}, timeout=30)
    except requests.RequestException as error:
        raise AssertionError("POST %s: no answer, %s" % (path, error.__class__.__name__)) from None


@pytest.fixture(scope="module")
def taken(shared_installation):
    """(installation, URL) of a collector for the whole file."""
    url, _ = collector(shared_installation)
    assert eventually(lambda: answers(url + "/readyz"), 20), shared_installation.logs()
    return shared_installation, url


def arrived(installation):
    return {event["event_id"]: event for event in map(event_from_avro, installation.records("touchpoints"))}


def test_one_record(taken):
    installation, url = taken
    event = good()
    answer = post(url, event)
    assert (answer.status_code, answer.json()) == (200, {"accepted": 1, "rejected": []})
    wanted = event_from_json(event)
    found = arrived(installation)[wanted["event_id"]]
    for field in ("customer_id", "occurred_at", "source", "channel", "product", "segment", "region", "attributes", "type"):
        assert found[field] == wanted[field], field
    assert {**wanted["data"], "about": None} == found["data"]


def test_a_verdict_for_every_record(taken):
    """An array and the same as NDJSON: good ones are taken, bad ones named by their index."""
    installation, url = taken
    for form, type in (("array", "application/json"), ("lines", "application/x-ndjson")):
        events = [good(), good(data=nps(11)), good(), good(colour="red"), good()]
        body = json.dumps(events) if form == "array" else "".join(json.dumps(event) + "\n" for event in events)
        answer = post(url, body, type=type)
        assert answer.status_code == 200, answer.text
        verdict = answer.json()
        assert verdict["accepted"] == 3
        assert [(one["index"], one["code"], one["path"].lstrip("/$.").replace("/", ".")) for one in verdict["rejected"]] == [
            (1, "out_of_range", "data.score"), (3, "unknown_field", "colour")]
        there = arrived(installation)
        assert [event_from_json(event)["event_id"] in there for event in events] == [True, False, True, False, True]


def test_cloud_events(taken):
    installation, url = taken
    event = good()
    cloud = {"specversion": "1.0", "id": event["event_id"], "source": "shop", "subject": "c-42", "time": event["occurred_at"],
             "type": "touchstream.SurveyAnswered", "datacontenttype": "application/json", "channel": "WEB", "data": nps(9)}
    assert post(url, cloud, type="application/cloudevents+json").json()["accepted"] == 1
    batch = [{**cloud, "id": str(uuid.uuid4())} for _ in range(2)]
    assert post(url, batch, type="application/cloudevents-batch+json").json()["accepted"] == 2
    there = arrived(installation)
    assert there[uuid.UUID(event["event_id"])]["customer_id"] == "c-42"
    assert all(uuid.UUID(one["id"]) in there for one in batch)


def test_the_data_of_a_cloud_event_as_base64(taken):
    """As SDKs send what they were given as bytes: structured and batched, with the verdicts that `data` would have had."""
    installation, url = taken
    cloud = {"specversion": "1.0", "source": "shop", "subject": "c-64", "time": good()["occurred_at"], "type": "touchstream.SurveyAnswered",
             "datacontenttype": "application/json", "channel": "WEB"}

    def event(content, **more):
        encoded = base64.b64encode(content if isinstance(content, bytes) else json.dumps(content).encode()).decode()
        return {**cloud, "id": str(uuid.uuid4()), "data_base64": encoded, **more}

    one = event(nps(9))
    assert post(url, one, type="application/cloudevents+json").json() == {"accepted": 1, "rejected": []}
    batch = [event(nps(8)), event(nps(11)), event(b"{"), event(nps(9), data=nps(9)), event(nps(9), data_base64="?"), event(b"\x1f\x8b", datacontenttype="application/gzip"),
             event(b'{"text": "' + b"x" * 1048576 + b'"}'), event(nps(7))]
    verdict = post(url, batch, type="application/cloudevents-batch+json").json()
    assert verdict["accepted"] == 2
    assert [(one["index"], one["code"], one["path"]) for one in verdict["rejected"]] == [
        (1, "out_of_range", "data.score"), (2, "bad_json", "data_base64"), (3, "unknown_field", "data_base64"), (4, "wrong_type", "data_base64"),
        (5, "wrong_type", "datacontenttype"), (6, "too_large", "")]
    there = arrived(installation)
    assert [there[uuid.UUID(sent["id"])]["data"]["score"] for sent in (one, batch[0], batch[7])] == [9, 8, 7]


def test_a_cloud_event_in_headers(taken):
    """Binary mode: double quotes around a value are taken off, then its percent signs are decoded."""
    installation, url = taken
    ids = {str(uuid.uuid4()): (sent, meant) for sent, meant in [("c-42", "c-42"), ("caf%C3%A9", "café"), ('"two words"', "two words"),
                                                               (r'"a \"b\" %25"', 'a "b" %'), ('"', '"')]}
    for id, (subject, _) in ids.items():
        headers = {"ce-specversion": "1.0", "ce-id": id, "ce-source": "shop", "ce-subject": subject, "ce-channel": "WEB",
                   "ce-time": good()["occurred_at"], "ce-type": "touchstream.SurveyAnswered", "Content-Type": "application/json",
                   "Authorization": "Bearer " + TOKEN}
        answer = requests.post(url + "/v1/touchpoints", json.dumps(nps(9)), headers=headers, timeout=20)
        assert answer.json() == {"accepted": 1, "rejected": []}, answer.text
    there = arrived(installation)
    assert {id: there[uuid.UUID(id)]["customer_id"] for id in ids} == {id: meant for id, (_, meant) in ids.items()}


@pytest.mark.parametrize("status,body,how", [
    (400, '{"event_id": ', {}),
    (400, "", {}),
    (401, good(), dict(token=None)),
    (401, good(), dict(token="wrong")),
    (415, good(), dict(type="application/pdf")),
    (413, "[" + " " * (9 << 20) + "]", {}),
], ids=["not JSON", "nothing", "no token", "a wrong token", "a type nobody knows", "over the limit"])
def test_refused_as_a_whole(taken, status, body, how):
    _, url = taken
    answer = post(url, body, **how)
    assert answer.status_code == status, answer.text
    assert answer.text  # says why


@pytest.mark.parametrize("status,headers", [
    (200, ["Content-Length: {size}"]),
    (400, ["Content-Length: {size}", "Content-Length: {half}"]),
    (400, ["Content-Length: {half}", "Content-Length: {size}"]),
    (400, ["Content-Length: {size}", "Transfer-Encoding: chunked"]),
    (400, ["Transfer-Encoding: chunked", "Content-Length: {size}"]),
    (431, ["Content-Length: {size}", "X-Long: " + "x" * 16384]),
], ids=lambda value: value if isinstance(value, int) else ", ".join(value)[:60])
def test_a_request_ends_where_it_says(taken, status, headers):
    """What another server may have passed on as the rest of a body is never taken as a request of its own."""
    installation, url = taken
    hidden, shown = good(), json.dumps([good()])
    smuggled = request(json.dumps(hidden), ["Content-Length: {size}", "Connection: close"])
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(request(shown, headers) + smuggled)
        answer = b""
        while received := connection.recv(65536):
            answer += received
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:500]
    assert answer.count(b"HTTP/1.1 ") == (2 if status == 200 else 1), answer
    assert (event_from_json(hidden)["event_id"] in arrived(installation)) == (status == 200)


def request(body, headers):
    """As bytes, so that it may be wrong."""
    head = ["POST /v1/touchpoints HTTP/1.1", "Host: here", "Content-Type: application/json", "Authorization: Bearer " + TOKEN]
    head += [header.format(size=len(body), half=len(body) // 2) for header in headers]
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()


def test_other_paths_and_methods(taken):
    _, url = taken
    assert requests.get(url + "/v1/nothing", timeout=5).status_code == 404
    assert requests.get(url + "/v1/touchpoints", timeout=5).status_code == 405
    assert post(url, "{}", path="/v1/hooks/no-such-vendor").status_code == 404


def counted(url):
    """{what: how often} of the collector's own counters."""
    lines = [line.rsplit(" ", 1) for line in requests.get(url + "/metrics", timeout=5).text.splitlines() if line.startswith("touchstream_ingest_re")]
    found = {re.search(r'(?:status|verdict)="(\w+)"', name).group(1): float(value) for name, value in lines if "_total{" in name}
    return lambda what: found.get(what, 0)


def test_metrics_count_what_senders_hear(taken):
    """Every answer, those too that the server gives before anybody has looked, and each verdict in them."""
    _, url = taken
    before, heard, verdicts = counted(url), collections.Counter(), collections.Counter()
    for answer in (post(url, [good(), good(data=nps(99))]), post(url, good()), post(url, "{bad"), post(url, ""),
                   post(url, " " * (9 << 20)), post(url, "{}", path="/v1/hooks/no-such-vendor"), post(url, "{}", **{"X-Long": "x" * 20000})):
        heard[str(answer.status_code)] += 1
        if answer.headers["Content-Type"] == "application/json" and "accepted" in answer.json():
            verdicts["accepted"] += answer.json()["accepted"]
            verdicts["rejected"] += len(answer.json()["rejected"])
    assert set(heard) == {"200", "400", "404", "413", "431"} and verdicts == {"accepted": 2, "rejected": 3}
    after = counted(url)
    assert {what: after(what) - before(what) for what in (*heard, *verdicts)} == {**heard, **verdicts}


def refused(answer):
    wait = int(answer.headers.get("Retry-After", 0))
    error = answer.json()["error"]
    return answer.status_code == 429 and 0 < wait <= 60 and error["code"] == "too_many_guesses" and "%d s" % wait in error["reason"]


def test_who_guesses_at_tokens_is_told_to_wait_and_nobody_else(shared_installation):
    """Whoever has a right one notices nothing of it, though they come from the same address: as through one proxy."""
    secret = "s3cret"
    url, process = collector(shared_installation, "ingest-guessed-at", **{"ingest.sources": [{"name": "shop", "token": "shop-token"}, {"name": "vendor", "secret": secret}]})
    assert eventually(lambda: answers(url + "/readyz"), 20), process.log.read_text()
    assert post(url, good(), token=None).status_code == 401
    first = [post(url, good(), token="guess %d" % i) for i in range(12)]
    assert [answer.status_code for answer in first] == 10 * [401] + 2 * [429] and all(map(refused, first[10:]))
    assert refused(post(url, good(), token="another", **{"X-Forwarded-For": "192.0.2.7", "Forwarded": "for=192.0.2.7"}))
    assert refused(post(url, {}, path="/v1/hooks/typeform", token="another"))
    assert refused(post(url, good(), token="another", **{"X-Touchstream-Signature": "00"}))  # a signature beside it hides none
    for token in (TOKEN, "shop-token"):
        assert post(url, good(customer_id="c-proxy", source="shop"), token=token).json()["accepted"] == 1
    body = json.dumps(good(source="vendor"))
    signature = hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()
    assert post(url, body, token=None, **{"X-Touchstream-Signature": signature}).json()["accepted"] == 1
    # As before for who shows nothing, what was wrong before, or a signature that does not fit: its secret was changed, or a clock is wrong.
    assert post(url, good(), token=None).status_code == 401 and post(url, good(), token="guess 3").status_code == 401
    for i in range(12):
        assert post(url, body + i * " " + "\n", token=None, **{"X-Touchstream-Signature": signature}).status_code == 401
    assert answers(url + "/healthz")

    log = process.log.read_text()
    told = [line for line in log.splitlines() if "guess" in line]
    assert len(told) == 1 and "level=warning" in told[0] and "127.0.0.1" in told[0], log
    assert TOKEN not in log and "shop-token" not in log and "guess 3" not in log
    assert counted(url)("429") == 5


def test_one_wrong_token_sent_again_and_again_is_one_guess(shared_installation):
    url, _ = collector(shared_installation, "ingest-with-a-new-token")
    for _ in range(50):  # a sender whom nobody has told of the new token
        assert post(url, good(), token="the old token").status_code == 401
    assert post(url, good(), token="another").status_code == 401


def test_a_source_with_a_signature(make_installation):
    """HMAC-SHA256 over the raw body; a source may speak only for itself."""
    installation = make_installation()
    port = free_port()
    config = installation.folder / "ingest.yaml"
    config.write_text(installation.config.read_text() + """
ingest:
  listen: 127.0.0.1:%d
  sources:
    - name: shop
      secret: s3cret
      signature_header: X-Signature
""" % port)
    installation.config = config
    installation.start("ingest")
    url = "http://127.0.0.1:%d" % port
    assert eventually(lambda: answers(url + "/readyz"), 20), installation.logs()
    body = json.dumps(good())
    signature = hmac.new(b"s3cret", body.encode(), hashlib.sha256).hexdigest()
    assert post(url, body, token=None, **{"X-Signature": signature}).json()["accepted"] == 1
    assert post(url, body + " ", token=None, **{"X-Signature": signature}).status_code == 401


@pytest.fixture
def with_own_kafka(services, program, tmp_path):
    """(installation, its Kafka), which may be taken away"""
    kafka = OwnServices(tmp_path / "services", "kafka")
    installation = Installation("away", {**services, **kafka.addresses}, program, tmp_path / "made", {})
    try:
        installation.succeed("topics")
        yield installation, kafka
    finally:
        installation.finish()
        kafka.stop()


def test_kafka_away_is_503_and_comes_back(with_own_kafka):
    installation, kafka = with_own_kafka
    url, process = collector(installation, **{"ingest.acknowledge_time": "2s"})
    assert eventually(lambda: answers(url + "/readyz"), 20), installation.logs()
    assert post(url, good()).status_code == 200
    with kafka.frozen("kafka"):
        answer = post(url, good())
        assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0, answer.text
        assert answers(url + "/healthz")
    again = good()
    assert eventually(lambda: post(url, again).status_code == 200, 60, 1), installation.logs()
    assert event_from_json(again)["event_id"] in arrived(installation)
    assert installation.stop(process) == 0


def test_sigterm_drains(make_installation):
    """What was answered 2xx before the end is in Kafka after it."""
    installation = make_installation()
    url, process = collector(installation)
    assert eventually(lambda: answers(url + "/readyz"), 20), installation.logs()
    events = [good() for _ in range(500)]
    assert post(url, events).json()["accepted"] == 500
    assert installation.stop(process, signal.SIGTERM) == 0
    assert {event_from_json(event)["event_id"] for event in events} <= arrived(installation).keys()
