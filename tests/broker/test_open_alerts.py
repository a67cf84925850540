"""What is open now of alerts that are no cases: in Redis and at /api/alerts/open, through ends, restarts, an emptied Redis and forgetting."""

import json
import signal

import pytest
import requests

from installation import eventually, free_port
from test_redis_sink import NOW, Topics

MINUTE = 60_000


def alert(id, kind="ABSENCE", severity="WARNING", customer=None, state="OPEN", minutes=0, revision=1, **more):
    kpi = {} if customer else {"kpi": "csat", "dimension": "all"}
    return {"alert_id": id, "revision": revision, "rule": "some.rule", "kind": kind, "severity": severity, "state": state,
            "customer_id": customer, "score": 50.0, "reasons": [], "text": "about %s, \"kind\":\"DEVICE\"" % id, "opened_at": NOW + minutes * MINUTE,
            "changed_at": NOW + minutes * MINUTE, "historical": False, **kpi, **more}


class Desk:
    """A sink and a dashboard, and whoever tells alerts."""

    def __init__(self, make_installation):
        self.port = free_port()
        self.installation = make_installation(**{"dashboard.listen": "127.0.0.1:%d" % self.port})
        self.redis, self.prefix, self.topics = self.installation.redis, self.installation.redis_prefix, Topics(self.installation)
        self.sink = self.installation.start("sink")
        self.installation.start("dashboard")
        assert eventually(lambda: self.answers(), 30), self.installation.logs()

    def answers(self):
        try:
            return self.get().ok
        except requests.RequestException:
            return False

    def get(self, **wanted):
        return requests.get("http://127.0.0.1:%d/api/alerts/open" % self.port, params=wanted, timeout=10)

    def ids(self, **wanted):
        return [alert["alert_id"] for alert in self.get(**wanted).json()["alerts"]]

    def tell(self, *alerts):
        for one in alerts:
            self.topics.put("alerts", one.get("case_id") or one["alert_id"], one)
        self.topics.flush()

    def keys(self):
        return {key[len(self.prefix):] for pattern in ("alerts:*", "off_target*") for key in self.redis.scan_iter(self.prefix + pattern)}

    def has(self, *ids, **wanted):
        assert eventually(lambda: self.ids(**wanted) == list(ids), 20), (self.ids(**wanted), self.installation.logs())


@pytest.fixture
def desk(make_installation):
    return Desk(make_installation)


STORM = (alert("late", customer="ada", minutes=1), alert("later", customer="ada", minutes=2), alert("smoke", "DEVICE", "CRITICAL", "ada", minutes=0),
         alert("unused", severity="INFO", customer="bob", minutes=9), alert("missed", "KPI_THRESHOLD", minutes=3), alert("fell", "TREND_SHIFT", minutes=4),
         alert("old", customer="bob", minutes=-9000, historical=True))
RANKED = ("smoke", "fell", "missed", "later", "late", "unused")


def test_the_gravest_first_and_what_is_asked_for(desk):
    desk.tell(*STORM)
    desk.has(*RANKED)
    whole = desk.get().json()
    assert whole["matching"] == 6 and whole["open"] == {
        "ABSENCE": {"CRITICAL": 0, "WARNING": 2, "INFO": 1}, "DEVICE": {"CRITICAL": 1, "WARNING": 0, "INFO": 0},
        "KPI_THRESHOLD": {"CRITICAL": 0, "WARNING": 1, "INFO": 0}, "TREND_SHIFT": {"CRITICAL": 0, "WARNING": 1, "INFO": 0}}
    assert whole["alerts"][0]["customer_id"] == "ada" and whole["alerts"][0]["opened_at"].startswith("20")
    assert desk.ids(severity="WARNING") == list(RANKED[:5]) and desk.ids(severity="CRITICAL") == ["smoke"]
    assert desk.ids(kind="ABSENCE") == ["later", "late", "unused"] and desk.ids(kind="TREND_SHIFT,DEVICE") == ["smoke", "fell"]
    assert desk.ids(customer="ada") == ["smoke", "later", "late"] and desk.ids(customer="nobody") == []
    assert desk.ids(customer="ada", kind="ABSENCE", severity="WARNING") == ["later", "late"], "a text does not make it another kind"
    assert desk.ids(customer="ada", kind="DEVICE") == ["smoke"]
    for wanted, shown, matching in (({}, 2, 6), ({"kind": "ABSENCE"}, 2, 3), ({"customer": "ada"}, 2, 3), ({"severity": "CRITICAL"}, 1, 1)):
        part = desk.get(limit=2, **wanted).json()
        assert (len(part["alerts"]), part["matching"]) == (shown, matching), (wanted, part)
    top = desk.installation.succeed("top", "--once").stdout.splitlines()
    assert top[1] == "open alerts: 1 CRITICAL, 4 WARNING, 1 INFO  (3 ABSENCE, 1 KPI_THRESHOLD, 1 TREND_SHIFT, 1 DEVICE)", top[:3]


def test_a_later_revision_moves_it_and_its_end_removes_it(desk):
    desk.tell(*STORM)
    desk.has(*RANKED)
    desk.tell(alert("unused", severity="CRITICAL", customer="bob", minutes=9, revision=2))
    desk.has("unused", *RANKED[:5])
    desk.tell(alert("later", customer="ada", minutes=2, revision=2, historical=True))  # a report of old, of what is open
    desk.tell(*(alert(one["alert_id"], one["kind"], customer=one["customer_id"], state=state, revision=3)
                for one, state in zip(STORM[1:], ["RESOLVED", "EXPIRED"] * 3)))
    desk.has("late")
    assert desk.keys() == {"alerts:open:ABSENCE", "alerts:open:json", "alerts:of:ada"}
    desk.tell(alert("late", customer="ada", state="RESOLVED", revision=2))
    desk.has()
    assert desk.keys() == set() and desk.get().json() == {"open": {}, "alerts": [], "matching": 0}
    assert "open alerts" not in desk.installation.succeed("top", "--once").stdout


def test_killed_and_emptied_it_is_the_same_again(desk):
    desk.tell(*STORM)
    desk.has(*RANKED)
    desk.installation.stop(desk.sink, signal.SIGKILL)
    desk.redis.delete(*desk.redis.keys(desk.prefix + "position:*"))  # all is applied once more, over what is there
    desk.installation.start("sink", name="sink-again")
    assert eventually(lambda: desk.redis.xlen(desk.prefix + "alerts") == 2 * len(STORM), 40), desk.installation.logs()
    desk.has(*RANKED)
    assert desk.get().json()["matching"] == 6
    desk.redis.delete(*desk.redis.keys(desk.prefix + "*"))
    desk.has(*RANKED)


def test_a_forgotten_customer_s_leave_whatever_is_read_first(desk):
    desk.tell(*STORM)
    desk.has(*RANKED)
    desk.tell(*({**alert(id, kind, state="EXPIRED", revision=2), "kpi": None, "dimension": None} for id, kind in (("late", "ABSENCE"), ("later", "ABSENCE"), ("smoke", "DEVICE"))))
    desk.has("fell", "missed", "unused")
    named = lambda: [key for key in desk.redis.scan_iter(desk.prefix + "*") if "ada" in key or "ada" in json.dumps(
        desk.redis.hgetall(key) if desk.redis.type(key) == "hash" else desk.redis.xrange(key) if desk.redis.type(key) == "stream" else [])]
    assert eventually(lambda: not named(), 20), named()
    assert "DEVICE" not in desk.get().json()["open"]


@pytest.mark.parametrize("wanted,part", [({"kind": "SLA_BREECH"}, "'SLA_BREACH'"), ({"kind": "ABSENCE,"}, "names with commas"), ({"kind": "HOT_TICKET"}, "/api/hot"),
                                         ({"severity": "critical"}, "CRITICAL"), ({"limit": "0"}, "limit")])
def test_what_cannot_be_asked_says_why(shared_desk, wanted, part):
    answer = shared_desk.get(**wanted)
    assert answer.status_code == 400 and answer.json()["error"]["code"] == "bad_parameter" and part in answer.json()["error"]["reason"], answer.text


@pytest.fixture(scope="module")
def shared_desk(shared_installation):
    class Asked:
        def __init__(self):
            self.port = free_port()
            shared_installation.start("dashboard", settings={"dashboard.listen": "127.0.0.1:%d" % self.port})
    Asked.get, Asked.answers = Desk.get, Desk.answers
    asked = Asked()
    assert eventually(asked.answers, 30), shared_installation.logs()
    return asked
