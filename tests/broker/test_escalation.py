"""Receivers who hear only of what nobody has acknowledged for a while: told by the clock, with nothing new in any topic, once, and by
whichever process is there when the time has come."""

import signal
import time

import pytest
from installation import eventually, patience
from test_bad_input import good, moment
from test_collector import answers, collector, post
from test_mission import SECRET, angry, receivers  # noqa: F401, a fixture

AFTER_S = 6


def told(receiver):
    return [(body["data"]["customer_id"], body["data"]["state"], body.get("unacknowledged_ms")) for status, _, body, _ in receiver.got if status == 200]


def test_the_head_is_called_when_the_desk_does_not_act(make_installation, receivers):  # noqa: F811
    desk, head = receivers(), receivers()
    urls = [one.settings["notify.receivers"][0]["url"] for one in (desk, head)]
    installation = make_installation(**{"notify.receivers": [
        {"name": "desk", "url": urls[0], "secret": SECRET, "rules": ["case"]},
        {"name": "head", "url": urls[1], "secret": SECRET, "rules": ["case"], "after": {"critical": "%ds" % AFTER_S}}]})
    installation.start("journey")
    notify = installation.start("notify")
    url, _ = collector(installation)
    assert eventually(lambda: answers(url + "/readyz"), 20), installation.logs()
    cases = lambda: {one["customer_id"]: one["case_id"] for one in installation.records("alerts") if one["rule"] == "case"}
    act = lambda customer, action: post(url, good(customer_id=customer, occurred_at=moment(), type="CaseActed", data={
        "case_id": cases()[customer], "action": action, "actor": "Ada", "note": None})).status_code

    for customer in ("seen", "unseen"):
        assert post(url, angry(customer)).status_code == 200
    began = time.monotonic()
    assert eventually(lambda: {"seen", "unseen"} <= cases().keys() and len(told(desk)) == 2, 20), installation.logs()
    assert act("seen", "ACKNOWLEDGED") == 200
    is_in_time = time.monotonic() - began < AFTER_S - 2
    heard = lambda: [one for one in told(head) if one[0] != "seen" or is_in_time]  # if it took too long, of the other alone
    assert eventually(heard, 40), installation.logs()
    assert time.monotonic() - began > AFTER_S - 1
    assert not is_in_time or heard() == [("unseen", "OPEN", AFTER_S * 1000)], heard()

    # The process dies before the next one's time has come. The one after it knows of both: who waits, and who was told of.
    before = len(heard())
    assert post(url, angry("later")).status_code == 200
    assert eventually(lambda: "later" in [customer for customer, *_ in told(desk)], 20), installation.logs()
    installation.stop(notify, signal.SIGKILL)
    notify = installation.start("notify", name="notify-again")
    assert eventually(lambda: len(heard()) > before, 60), installation.logs()
    assert heard()[before:] == [("later", "OPEN", AFTER_S * 1000)], "and nobody a second time"

    assert act("unseen", "ACKNOWLEDGED") == 200
    assert eventually(lambda: heard()[-1] == ("unseen", "ACKNOWLEDGED", None), 30), heard()
    assert act("unseen", "CLOSED") == 200
    assert eventually(lambda: heard()[-1] == ("unseen", "RESOLVED", None), 30), heard()
    assert installation.stop(notify) == 0
    count = len(heard())
    installation.start("notify", name="notify-once-more")
    assert post(url, angry("last")).status_code == 200
    assert eventually(lambda: heard()[-1][0] == "last", 60), installation.logs()
    assert len(heard()) == count + 1, (heard(), installation.logs())

    kept = lambda: [one for one in installation.records("alerts.escalated") if one["actor"] == "head" and one["text"] != "begun"]
    assert eventually(lambda: len(kept()) == len(told(head)), 20), (kept(), told(head))
    assert all(one["customer_id"] is None and one["text"] == "" for one in kept())


@pytest.mark.parametrize("inhibits", [False, True], ids=["half each", "one for all"])
def test_two_processes_share_who_waits_and_call_each_once(make_installation, receivers, inhibits):  # noqa: F811
    """One comes, which moves half of what waits, or all of it; one is killed, which moves it back: with times running out before, meanwhile and after."""
    head = receivers()
    head.settings["notify.receivers"][0] |= {"name": "head", "rules": ["case"], "after": {"critical": "%ds" % AFTER_S}, "inhibit": inhibits}
    installation = make_installation(**{**head.settings, "topics.partitions": 8})
    installation.start("journey")
    first = installation.start("notify")
    url, _ = collector(installation)
    assert eventually(lambda: answers(url + "/readyz"), 20), installation.logs()
    customers = []
    def trouble(count):
        for _ in range(count):
            customers.append("c-%d" % len(customers))
            assert post(url, angry(customers[-1])).status_code == 200
            time.sleep(0.4)
    trouble(12)
    installation.start("notify", name="notify-second")
    trouble(12)
    installation.stop(first, signal.SIGKILL)
    trouble(6)
    assert eventually(lambda: {customer for customer, *_ in told(head)} == set(customers), 90), (sorted(told(head)), installation.logs())
    notes = lambda: len([one for one in installation.records("alerts.escalated") if one["text"] == ""])
    assert eventually(lambda: notes() == len(customers), 20), (notes(), len(customers), installation.logs())
    time.sleep(2)
    calls = sorted(customer for customer, *_ in told(head))
    repeated = {customer for customer in calls if calls.count(customer) > 1}
    assert len(repeated) <= 1, "but for the message that the kill cut in two: %s" % repeated
    assert notes() == len(customers)


def test_a_silence_spares_who_knows_and_the_log_says_when_it_ends(make_installation, receivers):  # noqa: F811
    receiver = receivers()
    receiver.settings["notify.receivers"][0]["rules"] = ["case"]
    installation = make_installation(**receiver.settings)
    installation.start("journey")
    url, _ = collector(installation)
    assert eventually(lambda: answers(url + "/readyz"), 20), installation.logs()
    until = moment(seconds=-6 * patience())
    notify = installation.start("notify", settings={"notify.silences": [
        {"author": "Ada", "reason": "they know", "until": until, "rules": ["case"], "customers": ["quiet"]}]})
    log = lambda: notify.log.read_text()
    assert eventually(lambda: "a silence runs" in log(), 20) and "they know" in log()
    for customer in ("quiet", "loud"):
        assert post(url, angry(customer)).status_code == 200
    is_silent = moment() < until
    assert eventually(lambda: "loud" in [customer for customer, *_ in told(receiver)], 30), installation.logs()
    assert not is_silent or moment() >= until or "quiet" not in [customer for customer, *_ in told(receiver)]
    assert eventually(lambda: "a silence is over" in log(), 40), log()
    assert eventually(lambda: ("quiet", "OPEN", None) in told(receiver), 20), "still open as the silence ends"
    assert moment() >= until
    case = next(one["case_id"] for one in installation.records("alerts") if one["customer_id"] == "quiet" and one["rule"] == "case")
    assert post(url, good(customer_id="quiet", occurred_at=moment(), type="CaseActed", data={
        "case_id": case, "action": "ACKNOWLEDGED", "actor": "Ada", "note": None})).status_code == 200
    assert eventually(lambda: ("quiet", "ACKNOWLEDGED", None) in told(receiver), 30), told(receiver)
