"""KPIs that miss their target, on the whole route: one alert each, told once whatever dies, ended when the value is good again, and
nobody called about history."""

import json
import signal
import uuid

from installation import eventually
from test_bad_input import good, moment
from test_collector import answers, collector, post
from test_mission import receivers, ticket  # noqa: F401, a fixture


def answer(score, **changes):
    return good(customer_id="c-" + uuid.uuid4().hex[:8], **{"occurred_at": moment(), "channel": "CHAT", "product": "kettle", "data": {
        "survey_id": "s-" + uuid.uuid4().hex[:8], "kind": "CSAT", "score": score, "comment": None}, **changes})


def of_targets(installation):
    """{dimension: [alert, …] by revision} of what misses its target."""
    found = {}
    for alert in installation.records("alerts"):
        if alert["kind"] == "KPI_THRESHOLD":
            found.setdefault(alert["dimension"], []).append(alert)
    return {dimension: sorted(alerts, key=lambda alert: alert["revision"]) for dimension, alerts in found.items()}


def states(installation):
    return {dimension: [(alert["state"], alert["severity"]) for alert in alerts] for dimension, alerts in of_targets(installation).items()}


PARTS = {"kpi.alerts.dimensions": ["all", "channel", "product"]}
OPENED = {"all": [("OPEN", "CRITICAL")], "channel=CHAT": [("OPEN", "WARNING")], "product=kettle": [("OPEN", "WARNING")]}


def have_ended(installation):
    """Each began as it should and is over. If a value was published while it was on its way back, less grave in between."""
    told = states(installation)
    return told.keys() == OPENED.keys() and all(
        one[:1] == OPENED[dimension] and [state for state, _ in one[1:]] in (["RESOLVED"], ["OPEN", "RESOLVED"]) for dimension, one in told.items())


def test_a_missed_target_is_told_once_and_taken_back(make_installation, receivers):  # noqa: F811
    receiver = receivers()
    receiver.settings["notify.receivers"][0] |= {"rules": ["kpi.target"], "severity": "critical"}
    installation = make_installation(**receiver.settings, **PARTS)
    _, kpi, *_ = installation.start_route(("journey", "kpi", "sink", "notify"))
    url, _ = collector(installation)
    assert eventually(lambda: answers(url + "/readyz"), 20), installation.logs()
    assert post(url, [answer(2) for _ in range(40)]).status_code == 200
    assert eventually(lambda: states(installation) == OPENED, 40), (states(installation), installation.logs())
    told = of_targets(installation)["all"][0]
    assert (told["rule"], told["kpi"], told["customer_id"], told["case_id"], told["historical"]) == ("kpi.target", "csat", None, None, False)
    assert told["text"] == "csat over 24h, all, misses its target of 4.50: 2.00" and told["score"] == 100
    in_redis = lambda: [fields for _, fields in installation.redis.xrevrange(installation.redis_prefix + "alerts") if fields["kpi"] == "csat"]
    assert eventually(lambda: len(in_redis()) == 3, 20), installation.logs()
    assert {(fields["dimension"], fields["severity"], fields["state"]) for fields in in_redis()} == \
        {("all", "CRITICAL", "open"), ("channel=CHAT", "WARNING", "open"), ("product=kettle", "WARNING", "open")}
    ranked = lambda: [json.loads(installation.redis.hget(installation.redis_prefix + "off_target:alerts", id))["dimension"]
                      for id in installation.redis.zrevrange(installation.redis_prefix + "off_target", 0, -1)]
    assert eventually(lambda: len(ranked()) == 3, 10) and ranked()[0] == "all", ranked()
    in_top = installation.succeed("top", "--once").stdout.split("off target\n")[1]
    assert in_top.startswith("CRITICAL  " + told["text"]) and "WARNING   csat over 24h, channel=CHAT" in in_top, in_top

    heard = lambda: [(body["data"]["dimension"], body["data"]["state"]) for status, _, body, _ in receiver.got if status == 200]
    assert eventually(lambda: heard() == [("all", "OPEN")], 20), (heard(), installation.logs())

    # It goes on being missed, by other values, and the service is killed meanwhile: nothing new.
    installation.stop(kpi, signal.SIGKILL)
    assert post(url, [answer(1) for _ in range(20)]).status_code == 200
    installation.start("kpi", name="kpi-again")
    value = lambda: json.loads(installation.redis.hget(installation.redis_prefix + "kpi:csat:24h", "all") or "{}")
    assert eventually(lambda: value().get("n") == 60, 60), (value(), installation.logs())
    assert states(installation) == OPENED
    assert post(url, [answer(5) for _ in range(450)]).status_code == 200
    assert eventually(lambda: have_ended(installation), 40), (states(installation), installation.logs())

    assert eventually(lambda: not installation.redis.exists(installation.redis_prefix + "off_target", installation.redis_prefix + "off_target:alerts"), 20), ranked()
    assert "off target" not in installation.succeed("top", "--once").stdout

    # The channel and the product are no critical matter.
    assert eventually(lambda: heard() == [("all", state) for state, _ in states(installation)["all"]], 20), (heard(), installation.logs())
    ids = {alert["alert_id"] for alerts in of_targets(installation).values() for alert in alerts}
    assert len(ids) == 3


def test_history_off_its_target_calls_nobody(make_installation, receivers):  # noqa: F811
    receiver = receivers()
    receiver.settings["notify.receivers"][0]["inhibit"] = False  # to hear of the parts, too
    installation = make_installation(**receiver.settings, **PARTS)
    installation.start_route(("journey", "kpi", "sink", "notify"))
    file = installation.folder / "history.ndjson"
    file.write_text("".join(json.dumps(answer(2, occurred_at=moment(days=day, hours=hour))) + "\n" for day in range(9, 2, -1) for hour in range(24, 0, -1)
                            for _ in range(8)))
    installation.succeed("import", file)
    n = lambda: json.loads(installation.redis.hget(installation.redis_prefix + "kpi:csat:30d", "all") or "{}").get("n")
    assert eventually(lambda: n() == 7 * 24 * 8, 60), (n(), installation.logs())
    url, _ = collector(installation)
    assert eventually(lambda: answers(url + "/readyz"), 20), installation.logs()
    assert post(url, [answer(2) for _ in range(40)]).status_code == 200  # of today
    today = lambda: [alert for alerts in of_targets(installation).values() for alert in alerts if not alert["historical"]]
    assert eventually(lambda: len(today()) == 3 and len(receiver.got) == 3, 40), (today(), installation.logs())
    assert {body["data"]["dimension"] for _, _, body, _ in receiver.got} == set(OPENED)
    old = [alert for alerts in of_targets(installation).values() for alert in alerts if alert["historical"]]
    print("\n%d revisions of history, nobody called; 3 of today, called" % len(old))
    assert len(old) < 50


def test_promises_broken_too_fast_call_at_once(make_installation, receivers):  # noqa: F811
    receiver = receivers()
    receiver.settings["notify.receivers"][0] |= {"rules": ["sla.burn"]}
    installation = make_installation(**receiver.settings, **{"sla.first_response": "10s"})
    installation.start_route(("journey", "kpi", "sink", "notify"))
    url, _ = collector(installation)
    assert eventually(lambda: answers(url + "/readyz"), 20), installation.logs()
    assert post(url, [ticket("c-%d" % number, "t-%d" % number, "OPENED", "where is it?", occurred_at=moment()) for number in range(14)]).status_code == 200
    heard = lambda: [body["data"] for status, _, body, _ in receiver.got if status == 200 and body["data"]["severity"] == "CRITICAL"]
    assert eventually(heard, 60), (receiver.got, installation.logs())
    told = heard()[0]
    assert (told["rule"], told["kind"], told["kpi"], told["dimension"], told["state"]) == ("sla.burn", "SLA_BURN", "sla_first_response", "all", "OPEN")
    assert told["text"] == "sla_first_response over 1h, all, burns its error budget 10.0 times too fast: 100.0 % of promises were broken where 90.0 % are to be kept"
    off_target = lambda: [json.loads(one)["rule"] for one in installation.redis.hvals(installation.redis_prefix + "off_target:alerts")]
    assert eventually(lambda: "sla.burn" in off_target(), 20), off_target()
