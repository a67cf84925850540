"""The contract as a stranger would try it: one process with all services, its topics, its HTTP, its Redis keys, its end."""

import json
import re
import time
import uuid

import pytest
import requests
from confluent_kafka.admin import AdminClient, ConfigResource
from installation import eventually, free_port
from test_bad_input import good, moment
from test_collector import TOKEN, answers, post
from test_redis_sink import NOW, Topics

ACT = "a-token-to-act"
TOPICS = {"touchpoints": "delete", "touchpoints.rejected": "delete", "touchpoints.enriched": "delete", "journeys": "compact",
          "alerts": "delete", "followups": "delete", "kpi.deltas": "delete", "kpis": "compact", "trend.shifts": "delete", "kpi.state": "compact"}


class Shop:
    """`touchstream run`, with a customer of each kind."""

    def __init__(self, installation):
        ports = [free_port() for _ in range(3)]
        self.collector, self.dashboard, self.metrics = ("http://127.0.0.1:%d" % port for port in ports)
        self.installation, self.redis, self.prefix = installation, installation.redis, installation.redis_prefix
        self.process = installation.start("run", settings={
            "ingest.listen": self.collector[7:], "ingest.token": TOKEN, "dashboard.listen": self.dashboard[7:], "dashboard.token": ACT,
            "status.listen": self.metrics[7:]})
        assert eventually(lambda: answers(self.collector + "/readyz") and answers(self.dashboard + "/healthz"), 60), installation.logs()
        ticket = lambda action, **more: {"ticket_id": "t-1", "action": action, "team": "help", "priority": "HIGH", **more}
        self.send("angry", "SurveyAnswered", {"survey_id": "s", "kind": "NPS", "score": 0, "comment": "My lawyer will call you."})
        self.send("angry", "TicketChanged", ticket("OPENED", text="where is it?"))
        self.send("happy", "OrderPlaced", {"order_id": "o-1", "amount_minor": 1999, "currency": "EUR"}, product="P1")
        self.send("happy", "SurveyAnswered", {"survey_id": "s", "kind": "NPS", "score": 10}, product="P1")

    def send(self, customer, type, data, **more):
        answer = post(self.collector, good(customer_id=customer, occurred_at=moment(), type=type, data=data, **more))
        assert (answer.status_code, answer.json()["rejected"]) == (200, []), answer.text

    def key(self, name):
        return self.prefix + name

    def ask(self, path, **how):
        return requests.get(self.dashboard + path, timeout=20, **how)

    def case(self):
        return next((id for id in self.redis.zrange(self.key("hot"), 0, -1)), None)

    def act(self, id, verb, token=ACT, **body):
        return requests.post("%s/api/cases/%s/%s" % (self.dashboard, id, verb), json={"actor": "ada", **body}, timeout=20,
                             headers={"Authorization": "Bearer " + token})


@pytest.fixture(scope="module")
def shop(shared_installation):
    return Shop(shared_installation)


def test_topics_and_subjects(shop):
    admin = AdminClient({"bootstrap.servers": shop.installation.services["KAFKA"]})
    resources = {ConfigResource("topic", shop.installation.topic(name)): policy for name, policy in TOPICS.items()}
    found = {resource.name: (future.result(20)["cleanup.policy"].value, resources[resource]) for resource, future in
             admin.describe_configs(list(resources)).items()}
    assert all(is_it == wanted for is_it, wanted in found.values()), found
    for name in TOPICS:
        subject = shop.installation.topic(name) + "-value"
        assert shop.installation.registry.get_latest_version(subject).schema.schema_type == "AVRO"
        level = requests.get("%s/config/%s" % (shop.installation.services["REGISTRY"], subject), timeout=10).json()
        assert level.get("compatibilityLevel") == "BACKWARD", (subject, level)


def test_every_redis_key_is_filled(shop):
    redis, key = shop.redis, shop.key
    topics = Topics(shop.installation)
    hour = int(time.time() * 1000) // 3_600_000 * 3_600_000
    topics.put("trend.shifts", "csat|all", {
        "shift_id": "s-1", "kpi": "csat", "dimension": "all", "resolution": "HOUR", "kind": "LEVEL", "direction": "DOWN", "good": False,
        "onset_at": NOW, "detected_at": NOW, "ended_at": None, "before": 4.5, "after": 4.0, "low": 3.9, "high": 4.1, "confidence": 0.99,
        "drivers": [], "revision": 1})
    topics.put("kpis", "csat|90d|all", {"kpi": "csat", "dimension": "all", "window": "90d", "value": 4.0, "n": 1, "numerator": 4.0,
                                        "denominator": 1.0, "low_n": True, "maturity": 1.0, "watermark": hour, "definition": "csat/1", "at": hour,
                                        "closed": [{"end_at": hour, "value": 4.0, "n": 1}]})
    topics.flush()
    wanted = {"kpi:nps:24h": "hash", "series:csat:all": "stream", "hot": "zset", "alerts": "stream", "shifts": "stream",
              "customer:angry": "hash", "journey:angry": "stream", "followups": "zset", "health": "hash"}
    missing = lambda: {name: redis.type(key(name)) for name, kind in wanted.items() if redis.type(key(name)) != kind}
    assert eventually(lambda: not missing(), 60), (missing(), shop.installation.logs())
    fields = lambda: redis.hgetall(key("kpi:nps:24h"))
    assert eventually(lambda: json.loads(fields().get("all", "{}")).get("n") == 2, 60), fields()
    # Each partition of the KPI stage has its own moment of the second.
    assert eventually(lambda: {"all", "channel=EMAIL", "product=P1", "product=P1,channel=EMAIL"} <= fields().keys(), 60), fields()
    assert {"value", "n", "numerator", "denominator", "low", "high", "low_n", "maturity", "target", "previous", "at"} <= json.loads(fields()["all"]).keys()
    assert redis.xrange(key("series:csat:all"))[-1] == ("%d-0" % hour, {"value": "4", "n": "1"})
    id = shop.case()
    case = redis.hgetall(key("case:" + id))
    assert case["customer"] == "angry" and case["state"] == "open" and float(case["score"]) == redis.zscore(key("hot"), id) and json.loads(case["reasons"])
    for stream in ("alerts", "shifts"):
        newest = redis.xrevrange(key(stream), count=1)[0][1]
        whole = json.loads(newest["json"])
        assert str(whole.get("rule") or whole["kpi"]) in newest.values()
    assert eventually(lambda: len(redis.xrange(key("journey:angry"))) == 2), redis.xrange(key("journey:angry"))
    followup, due = redis.zrange(key("followups"), 0, 0, withscores=True)[0]
    assert redis.type(key("followup:" + followup)) == "hash" and due > 1e12
    assert eventually(lambda: {"journey", "kpi", "sink"} <= redis.hgetall(key("health")).keys(), 60), redis.hgetall(key("health"))


def test_entries_carry_every_field_of_their_record(shop):
    """[57] By name, with the whole record beside them; and the snapshot has the journey's own names."""
    entries = eventually(lambda: shop.redis.xrange(shop.key("alerts")))
    for _, fields in entries:
        assert set(json.loads(fields["json"])) <= set(fields)
    topics = Topics(shop.installation)
    topics.put("trend.shifts", "nps|all", {
        "shift_id": "driven", "kpi": "nps", "dimension": "all", "resolution": "HOUR", "kind": "LEVEL", "direction": "DOWN", "good": False,
        "onset_at": NOW, "detected_at": NOW, "ended_at": None, "before": 1.0, "after": 0.0, "low": 0.5, "high": 1.5, "confidence": 0.9,
        "drivers": [{"dimension": "channel=WEB", "share": 0.5, "rate_effect": 0.1, "mix_effect": 0.2}], "revision": 1})
    topics.flush()
    [(_, shift)] = eventually(lambda: [e for e in shop.redis.xrange(shop.key("shifts")) if e[1]["shift_id"] == "driven"])
    assert set(json.loads(shift["json"])) <= set(shift) and json.loads(shift["drivers"])[0]["dimension"] == "channel=WEB"
    assert eventually(lambda: shop.redis.hget(shop.key("customer:happy"), "last_seen_at"))
    assert shop.ask("/api/customers/happy").json()["customer"]["loyalty_member"] is False


def test_what_changes_is_said_on_the_channels(shop):
    listener = shop.redis.pubsub(ignore_subscribe_messages=True)
    channels = [shop.key("live:kpis"), shop.key("live:alerts")]
    listener.subscribe(*channels)
    heard = {}

    def hear():
        message = listener.get_message(timeout=1)
        if message:
            heard[message["channel"]] = json.loads(message["data"])
        return set(channels) <= heard.keys()

    shop.send("another", "SurveyAnswered", {"survey_id": "s", "kind": "NPS", "score": 1})
    assert eventually(hear, 60, 0), (heard.keys(), shop.installation.logs())
    listener.close()
    assert heard[channels[0]]["window"] and heard[channels[1]]["alert_id"]


def test_the_read_api(shop):
    assert eventually(lambda: shop.case(), 60), shop.installation.logs()
    page = shop.ask("/")
    assert page.status_code == 200 and "text/html" in page.headers["Content-Type"] and "default-src" in page.headers["Content-Security-Policy"]
    for path in ("/api/kpis", "/api/series?kpi=nps&by=all", "/api/hot", "/api/alerts", "/api/shifts", "/api/customers/angry", "/api/scorecard"):
        answer = shop.ask(path)
        assert answer.status_code == 200 and answer.json() is not None, (path, answer.status_code, answer.text[:200])
    named = lambda by: [one["dimension"] for one in shop.ask("/api/series?kpi=nps&by=" + by).json()["series"]]
    assert eventually(lambda: named("all") == ["all"] and "channel=EMAIL" in named("channel") and named("channel=EMAIL") == ["channel=EMAIL"]), named("channel")
    assert shop.ask("/api/nothing").status_code == 404
    assert shop.ask("/api/customers/nobody").status_code in (200, 404)
    with shop.ask("/api/stream", stream=True) as stream:
        assert stream.status_code == 200 and stream.headers["Content-Type"].startswith("text/event-stream")
        assert stream.headers["Cache-Control"] == "no-store"
        shop.send("streamed", "SurveyAnswered", {"survey_id": "s", "kind": "NPS", "score": 2})
        assert next(line for line in stream.iter_lines() if line.startswith(b"data:"))


@pytest.mark.parametrize("method,path,status,code,part", [
    ("GET", "/api/nothing", 404, "not_found", "off_target"),
    ("POST", "/api/nothing", 404, "not_found", "kpis"),
    ("GET", "/nothing.html", 404, "not_found", "/api/"),
    ("GET", "/api/customers/", 404, "not_found", "customers/ID"),
    ("GET", "/api/customers/nobody", 404, "no_such_customer", "customer"),
    ("POST", "/api/kpis", 405, "bad_method", "method"),
    ("DELETE", "/api/customers/angry", 405, "bad_method", "method"),
    ("GET", "/api/cases/x/close", 405, "bad_method", "method"),
    ("PUT", "/", 405, "bad_method", "method"),
    ("GET", "/api/kpis?kpi=npss", 400, "bad_parameter", "'nps'"),
    ("GET", "/api/kpis?window=2h", 400, "bad_parameter", "24h"),
    ("GET", "/api/series", 400, "bad_parameter", "kpi"),
    ("GET", "/api/series?kpi=npss", 400, "bad_parameter", "'nps'"),
    ("GET", "/api/series?kpi=nps&window=2h", 400, "bad_parameter", "24h"),
    ("GET", "/api/hot?limit=many", 400, "bad_parameter", "limit"),
    ("GET", "/api/alerts?limit=0", 400, "bad_parameter", "limit"),
    ("GET", "/api/shifts?limit=-5", 400, "bad_parameter", "limit"),
    ("GET", "/api/shifts?limit=5x", 400, "bad_parameter", "limit"),
])
def test_what_cannot_be_answered_says_why(shop, method, path, status, code, part):
    answer = requests.request(method, shop.dashboard + path, timeout=10)
    assert answer.status_code == status and answer.headers["Content-Type"].startswith("application/json"), (answer.status_code, answer.text[:200])
    assert answer.json()["error"]["code"] == code and part in answer.json()["error"]["reason"], answer.text
    if status == 405:
        assert answer.headers["Allow"] == ("POST" if "cases" in path else "GET, HEAD")


@pytest.mark.parametrize("path", ["/api/hot?limit=100000", "/api/kpis?kpi=nps&window=24h", "/api/series?kpi=nps&by=channel&window=90d"])
def test_what_can_be_answered_is(shop, path):
    assert shop.ask(path).status_code == 200


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz"])
def test_the_status_port_takes_get_alone(shop, path):
    answer = requests.post(shop.metrics + path, timeout=10)
    assert answer.status_code == 405 and answer.headers["Allow"] == "GET, HEAD" and answer.json()["error"]["code"] == "bad_method"


def test_numbers_are_as_short_as_they_may_be(shop):
    """What the score was written as, not the nearest binary fraction in seventeen digits."""
    shop.redis.hset(shop.key("case:odd"), mapping={"customer": "odd", "state": "open"})
    shop.redis.zadd(shop.key("hot"), {"odd": 70.2})
    try:
        assert '"case_id":"odd","priority":70.2,' in shop.ask("/api/hot").text, shop.ask("/api/hot").text
    finally:
        shop.redis.zrem(shop.key("hot"), "odd")
        shop.redis.delete(shop.key("case:odd"))


def test_verbs_come_back_as_states(shop):
    shop.send("to be helped", "SurveyAnswered", {"survey_id": "s", "kind": "NPS", "score": 1})
    of_customer = lambda: next((id for id in shop.redis.zrange(shop.key("hot"), 0, -1)
                                if shop.redis.hget(shop.key("case:" + id), "customer") == "to be helped"), None)
    assert eventually(of_customer, 60), shop.installation.logs()
    id = of_customer()
    assert shop.act(id, "acknowledge", token="wrong").status_code == 401
    assert shop.act(id, "dance").status_code == 404
    assert shop.act(id, "acknowledge", actor=17).status_code == shop.act(id, "acknowledge", note=["late"]).status_code == 400
    assert shop.act(str(uuid.uuid4()), "acknowledge").status_code == 404
    for verb, state in (("acknowledge", "acknowledged"), ("contact", "in_progress"), ("close", "resolved")):  # [46]
        assert shop.act(id, verb, note="on it").status_code == 200
        assert eventually(lambda: shop.redis.hget(shop.key("case:" + id), "state") == state, 60), (verb, shop.redis.hgetall(shop.key("case:" + id)))
    assert eventually(lambda: shop.redis.zscore(shop.key("hot"), id) is None, 30)


def test_metrics_of_every_service(shop):
    for url in (shop.collector, shop.metrics):
        text = requests.get(url + "/metrics", timeout=20).text
        assert any(line.startswith("touchstream_") for line in text.splitlines()), text[:500]
    assert requests.get(shop.metrics + "/healthz", timeout=20).status_code == 200
    assert requests.get(shop.metrics + "/readyz", timeout=20).status_code == 200


def test_inspect_explain_and_top(shop):
    lines = lambda *how: [json.loads(line) for line in shop.installation.succeed("inspect", *how).stdout.splitlines()]
    assert {line["customer_id"] for line in lines("touchpoints", "--key", "happy")} == {"happy"}
    assert lines("touchpoints", "--since", "1h") and not lines("touchpoints", "--since", "2999-01-01T00:00:00Z")
    assert len(lines("touchpoints", "--since", "99999d")) == len(lines("touchpoints"))  # before 1970
    assert {"type", "data", "occurred_at", "stage", "hot_score"} <= lines("touchpoints.enriched")[0].keys()
    told = shop.installation.succeed("explain", "review_count", "--window", "24h").stdout.splitlines()
    assert json.loads(told[-1])["n"] == 0
    assert shop.installation.succeed("top", "--once").stdout
    assert shop.installation.succeed("check").returncode == 0
    assert shop.installation.run("inspect", "no.such.topic").returncode in (1, 2)


def test_it_ends_cleanly(shop):
    assert shop.installation.stop(shop.process, seconds=40) == 0, shop.installation.logs()


def test_run_takes_the_services_that_are_named(make_installation):
    installation = make_installation()
    process = installation.start("run", "journey", "kpi")
    begun = lambda: set(re.findall(r"msg=started service=(\w+)", process.log.read_text()))
    assert eventually(lambda: len(re.findall("partition recovered", process.log.read_text())) == 2 * 4, 60), installation.logs()
    assert begun() == {"journey", "kpi"}
    installation.stop(process)
    done = installation.run("run", "journey", "kpis")
    assert done.returncode == 2 and "no service 'kpis'; there are ingest, journey, kpi, sink, notify, dashboard" in done.stderr


def test_an_error_stands_with_the_service_that_had_it(make_installation, tmp_path):
    """Several services of one process, and a mapping of the collector's that never comes to an end."""
    (tmp_path / "endless.jq").write_text("def on: on; on")
    port = free_port()
    installation = make_installation(**{"ingest.listen": "127.0.0.1:%d" % port, "ingest.token": TOKEN, "ingest.mapping_time": "200ms",
                                        "ingest.mappings_dir": str(tmp_path)})
    installation.start("run", "ingest", "journey", "kpi", "sink", name="several")
    assert eventually(lambda: answers("http://127.0.0.1:%d/readyz" % port), 30), installation.logs()
    assert post("http://127.0.0.1:%d" % port, {"id": 1}, path="/v1/hooks/endless").status_code == 200
    health = lambda: {name: json.loads(row) for name, row in installation.redis.hgetall(installation.redis_prefix + "health").items()}
    assert eventually(lambda: "a mapping is stopped" in (health().get("ingest", {}).get("last_error") or ""), 20), health()
    assert eventually(lambda: len(health()) == 4, 20), health()
    assert {name: row["last_error"] for name, row in health().items() if name != "ingest"} == {"journey": None, "kpi": None, "sink": None}
    assert abs(health()["ingest"]["last_error_at"] - time.time() * 1000) < 60000
