"""Alerts about what did not come: of generated traffic, held to a computation that shares no code with the product; and one order,
whose delivery does not come while the processor is killed."""

import collections
import datetime
import signal

import requests

from installation import eventually, free_port, patience
from oracle import event_from_avro
from oracle.events import as_ms, in_order
from oracle.windows import HOUR
from test_alerts import DISORDER_MS
from test_bad_input import good, moment
from test_collector import answers, collector, post
from test_mission import SECRET, receivers  # noqa: F401, a fixture

DAY = 24 * HOUR
ENDINGS = ("LAPSED", "CANCELLED")


def lives_of(events):
    """Each customer's events in order; a new life begins after being forgotten."""
    lives = collections.defaultdict(lambda: [[]])
    for event in in_order(events):
        lives[event["customer_id"]][-1].append(event)
        if event["type"] == "CustomerForgotten":
            lives[event["customer_id"]].append([])
    return [life for of_customer in lives.values() for life in of_customer if life]


def first(events, wanted, default=None):
    return next((event["occurred_at"] for event in events if wanted(event)), default)


def is_about(event, key, id, *types):
    return event["type"] in types and event["data"][key] == id


def absences_of(life):
    """(rule, what it is about, when it is missed, when what was expected came or ended it)"""
    orders = [event for event in life if event["type"] == "OrderPlaced"]
    changes = [event for event in life if event["type"] == "SubscriptionChanged"]
    for order in orders:
        id = order["data"]["order_id"]
        yield ("absence.delivery", id, order["occurred_at"] + 14 * DAY,
               first(life, lambda event: is_about(event, "order_id", id, "OrderDelivered", "ProductReturned")))
    begun = min(orders + [change for change in changes if change["data"]["action"] == "STARTED"],
                key=lambda event: (event["occurred_at"], event["event_id"].bytes), default=None)
    if begun:
        def ends_it(event):
            if event["type"] == "ProductUsed":
                return True
            if begun["type"] == "OrderPlaced":
                return is_about(event, "order_id", begun["data"]["order_id"], "ProductReturned")
            return is_about(event, "subscription_id", begun["data"]["subscription_id"], "SubscriptionChanged") and event["data"]["action"] in ENDINGS
        yield "absence.use", begun["customer_id"], begun["occurred_at"] + 14 * DAY, first(life, ends_it)
    for number, change in enumerate(changes):
        id, term = change["data"]["subscription_id"], change["data"]["term_ends_at"]
        if change["data"]["action"] not in ENDINGS and term is not None:
            yield ("absence.renewal", id, term + 7 * DAY,
                   first(changes[number + 1:], lambda event: event["data"]["subscription_id"] == id))


def test_what_is_missed_is_what_the_events_lack(make_installation):
    # The busiest customer waits for more than 64 things at a time: those bounds are another test's.
    installation = make_installation(**{"alerts.absence.delivery_after": "14d", "alerts.absence.use": True, "followups.pending_max": 4096, "alerts.open_max": 4096})
    installation.keep_the_past()
    installation.start("journey")
    installation.succeed("generate", "--events", 24000, "--customers", 2000, "--seed", 5, "--span", "100d", "--disorder", "0s", "--duplicates", "0")
    events = [event_from_avro(record) for record in installation.records("touchpoints")]
    assert eventually(lambda: len(installation.records("touchpoints.enriched")) == len(events), 90, 1), installation.logs()
    newest = max(event["occurred_at"] for event in events)
    must, may = collections.Counter(), collections.Counter()
    for life in lives_of(events):
        forgotten_at = first(life, lambda event: event["type"] == "CustomerForgotten", newest + 1000 * DAY)
        for rule, about, missed_at, came_at in absences_of(life):
            if missed_at > newest - HOUR:  # of the last hour only the ticks know
                continue
            came_at = min(forgotten_at, newest + 1000 * DAY if came_at is None else came_at)
            may[rule, about, missed_at] += came_at > missed_at
            must[rule, about, missed_at] += came_at > missed_at + DISORDER_MS
    must, may = +must, +may
    each = collections.Counter(key[0] for key in must)
    assert len(each) == 3 and min(each.values()) >= 20, each

    def about(alert):
        words = alert["text"].split()
        return {"absence.delivery": words[1], "absence.use": alert["customer_id"], "absence.renewal": words[1]}[alert["rule"]]

    def told():
        return collections.Counter((alert["rule"], about(alert), as_ms(alert["opened_at"])) for alert in installation.records("alerts")
                                   if alert["kind"] == "ABSENCE" and alert["state"] == "OPEN")

    assert eventually(lambda: must <= told(), 90, 1), "not told: %s\n%s" % (sorted((must - told()).elements())[:5], installation.logs())
    known = collections.Counter({key: count for key, count in told().items() if key[2] <= newest - HOUR})
    assert known <= may, "told without a reason: %s" % sorted((known - may).elements())[:5]

    revisions = collections.defaultdict(list)
    for alert in installation.records("alerts"):
        if alert["kind"] == "ABSENCE":
            revisions[alert["alert_id"]].append((alert["revision"], alert["state"]))
    assert all(of_one in ([(1, "OPEN")], [(1, "OPEN"), (2, "RESOLVED")], [(1, "OPEN"), (2, "EXPIRED")]) for of_one in revisions.values())
    assert {"RESOLVED", "EXPIRED"} <= {of_one[-1][1] for of_one in revisions.values()}
    print("\n%d absences told of %d events; %s" % (sum(known.values()), len(events), collections.Counter(key[0] for key in known.elements())))


def test_an_order_is_missed_in_silence_through_a_kill_and_the_receiver_hears_both(make_installation, receivers):  # noqa: F811
    receiver = receivers()
    url = receiver.settings["notify.receivers"][0]["url"]
    port = free_port()
    installation = make_installation(**{
        "alerts.absence.delivery_grace": "2s", "dashboard.listen": "127.0.0.1:%d" % port,
        "notify.receivers": [{"name": "warehouse", "url": url, "secret": SECRET, "rules": ["absence.delivery"]}]})
    installation.succeed("check")
    journey = installation.start("journey")
    for role in ("sink", "notify", "dashboard"):
        installation.start(role)
    ingest, _ = collector(installation)
    assert eventually(lambda: answers(ingest + "/readyz"), 20), installation.logs()
    promised = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=4 * patience())  # three are sent before that
    for order in ("late", "kept"):
        assert post(ingest, good(customer_id="c-" + order, occurred_at=moment(), type="OrderPlaced", attributes={
            "promised_at": promised.isoformat(timespec="milliseconds")}, data={
            "order_id": order, "amount_minor": 4900, "currency": "EUR", "offer": None})).status_code == 200
    assert post(ingest, good(customer_id="c-kept", occurred_at=moment(), type="OrderDelivered", data={"order_id": "kept", "promised_at": None})).status_code == 200
    assert eventually(lambda: len(installation.records("touchpoints.enriched")) == 3, 30), installation.logs()
    installation.stop(journey, signal.SIGKILL)  # before its time has come
    installation.start("journey", name="journey-again")
    absent = lambda: [alert for alert in installation.records("alerts") if alert["kind"] == "ABSENCE"]
    assert eventually(absent, 60), installation.logs()
    due = as_ms(promised.isoformat(timespec="milliseconds"))
    assert [(alert["customer_id"], alert["state"], as_ms(alert["due_at"]), as_ms(alert["opened_at"]), alert["historical"]) for alert in absent()] == [
        ("c-late", "OPEN", due, due + 2000, False)]

    assert post(ingest, good(customer_id="c-late", occurred_at=moment(), type="OrderDelivered", data={"order_id": "late", "promised_at": None})).status_code == 200
    told = lambda: [(body["data"]["customer_id"], body["data"]["state"]) for status, _, body, _ in receiver.got if status == 200]
    assert eventually(lambda: told() == [("c-late", "OPEN"), ("c-late", "RESOLVED")], 60), (told(), installation.logs())
    assert [alert["state"] for alert in absent()] == ["OPEN", "RESOLVED"], "once each, whatever was killed"
    listed = lambda: [alert for alert in requests.get("http://127.0.0.1:%d/api/alerts" % port, timeout=10).json()["alerts"] if alert["kind"] == "ABSENCE"]
    assert eventually(lambda: len(listed()) == 2, 30), installation.logs()
    assert {alert["rule"] for alert in listed()} == {"absence.delivery"} and any("has not been delivered" in alert["text"] for alert in listed())
