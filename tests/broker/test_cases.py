"""From a bad answer to a closed case, and a broken promise in silence: collector to Redis, on the real pipeline."""

import datetime
import json
import os
import time
import uuid

from installation import eventually, patience
from test_collector import answers, collector, post


def event(customer, type, data, at=None):
    at = at or datetime.datetime.now(datetime.timezone.utc)
    return {"event_id": str(uuid.uuid4()), "customer_id": customer, "occurred_at": at.isoformat(timespec="milliseconds"),
            "source": "test", "channel": "APP", "type": type, "data": data}


def nps(customer, score, **more):
    return event(customer, "SurveyAnswered", {"survey_id": str(uuid.uuid4()), "kind": "NPS", "score": score, **more})


class Desk:
    """The hot list as the dashboard sees it."""

    def __init__(self, installation):
        self.redis, self.prefix = installation.redis, installation.redis_prefix

    def case_of(self, customer):
        for id in self.redis.zrange(self.prefix + "hot", 0, -1):
            if self.redis.hget(self.prefix + "case:" + id, "customer") == customer:
                return id
        return None

    def case(self, id):
        return self.redis.hgetall(self.prefix + "case:" + id)

    def alerts(self, rule):
        found = [json.loads(entry["json"]) for _, entry in self.redis.xrange(self.prefix + "alerts")]
        return [alert for alert in found if alert["rule"] == rule]

    def is_hot(self, id):
        return self.redis.zscore(self.prefix + "hot", id) is not None


def route(installation, **settings):
    installation.succeed("topics")
    for role in ("journey", "sink"):
        installation.start(role, settings=settings)
    url, _ = collector(installation)
    assert eventually(lambda: answers(url + "/readyz"), 20), installation.logs()
    desk = Desk(installation)
    post(url, nps("warm-up", 0))
    assert eventually(lambda: desk.case_of("warm-up"), 60), installation.logs()
    return url, desk


def test_angry_answer_to_verified(installation):
    url, desk = route(installation)
    took = []
    for i in range(10):
        customer, sent = "angry-%d" % i, time.monotonic()
        assert post(url, nps(customer, 1, comment="Late, broken, and nobody answers.")).json()["accepted"] == 1
        assert eventually(lambda: desk.case_of(customer), 30, 0.01), installation.logs()
        took.append(time.monotonic() - sent)
    print("posted to hot list, s: median %.3f, worst %.3f" % (sorted(took)[5], max(took)))
    # A machine that is busy with other things is slow for everybody: then this says only that nothing hangs.
    assert sorted(took)[5] < (1 if os.getloadavg()[0] < 2 * os.cpu_count() else 5), took

    id = desk.case_of("angry-0")
    case = desk.case(id)
    assert case["state"] == "open" and float(case["score"]) >= 35
    assert "nps_0_3" in {reason["code"] for reason in json.loads(case["reasons"])}

    def act(action, **more):
        post(url, event("angry-0", "CaseActed", {"case_id": id, "action": action, "actor": "ada", **more}))

    for action, state in (("ACKNOWLEDGED", "acknowledged"), ("CONTACTED", "in_progress"), ("CLOSED", "resolved")):
        act(action)
        assert eventually(lambda: desk.case(id)["state"] == state, 30, 0.05), (action, desk.case(id))
    assert not desk.is_hot(id)
    post(url, nps("angry-0", 9))
    assert eventually(lambda: desk.case(id)["state"] == "verified", 30, 0.05), desk.case(id)


def test_promise_broken_in_silence(installation):
    url, desk = route(installation, **{"sla.first_response": "6s"})
    opened = datetime.datetime.now(datetime.timezone.utc)
    post(url, event("waits", "TicketChanged", {"ticket_id": "t-1", "action": "OPENED", "text": "Where is it?"}, opened))
    assert eventually(lambda: desk.alerts("sla.first_response.breach"), 30, 0.02), installation.logs()
    noticed = datetime.datetime.now(datetime.timezone.utc)
    breach = desk.alerts("sla.first_response.breach")[0]
    due = opened + datetime.timedelta(seconds=6)
    late = (noticed - due).total_seconds()
    print("breach noticed %.3f s after it was due" % late)
    assert breach["ticket_id"] == "t-1" and breach["kind"] == "SLA_BREACH" and not breach["historical"]
    assert desk.alerts("sla.first_response.warning")
    assert -0.01 < late < 15 * patience(), late  # about a second; a busy machine may take longer
