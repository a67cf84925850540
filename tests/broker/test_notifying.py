"""What a receiver is spared, is told together or is told later, seen by a real one: alerts put into the topic as the stages put them, with
processes that die meanwhile."""

import signal
import time
import uuid

from installation import eventually
from test_mission import receivers  # noqa: F401, a fixture
from test_redis_sink import Topics


class Alerts:
    """Writes revisions of alerts, keyed as the kpi stage keys them."""

    def __init__(self, installation):
        self.topics, self.newest = Topics(installation), {}

    def put(self, name, state="OPEN", **changes):
        """The next revision: what it was, changed."""
        now = int(time.time() * 1000)
        alert = self.newest.get(name, {
            "alert_id": "%s-%s" % (name, uuid.uuid4().hex[:8]), "revision": 0, "rule": "kpi.target", "kind": "KPI_THRESHOLD", "severity": "WARNING",
            "score": 50.0, "reasons": [], "text": name, "opened_at": now, "historical": False})
        self.newest[name] = {**alert, "state": state, "revision": alert["revision"] + 1, "changed_at": now, **changes}
        self.topics.put("alerts", alert["alert_id"], self.newest[name])
        self.topics.flush()


def told(receiver):
    return [(body["data"]["text"], body["data"]["state"]) for status, _, body, _ in receiver.got if status == 200]


def kpi(name, dimension):
    return {"kpi": name, "dimension": dimension}


CASE = {"rule": "case", "kind": "HOT_TICKET", "severity": "CRITICAL", "customer_id": "c-1"}


def url(receiver):
    return receiver.settings["notify.receivers"][0]["url"]


# --- inhibition -------------------------------------------------------------------------------------------------------

def test_parts_are_not_told_while_the_whole_is_and_who_opts_out_hears_them(make_installation, receivers):  # noqa: F811
    desk, stubborn = receivers(), receivers()
    installation = make_installation(**{"notify.receivers": [{"name": "desk", "url": url(desk)}, {"name": "stubborn", "url": url(stubborn), "inhibit": False}]})
    alerts = Alerts(installation)
    notify = installation.start("notify")
    alerts.put("kettles", **kpi("csat", "product=kettle"))  # an instant before the whole
    alerts.put("csat", **kpi("csat", "all"))
    alerts.put("pots", **kpi("csat", "product=pot"))
    alerts.put("nps of pots", **kpi("nps", "product=pot"))
    everything = [("kettles", "OPEN"), ("csat", "OPEN"), ("pots", "OPEN"), ("nps of pots", "OPEN")]
    assert eventually(lambda: sorted(told(stubborn)) == sorted(everything), 30), (told(stubborn), installation.logs())
    assert eventually(lambda: len(told(desk)) == 2, 30), (told(desk), installation.logs())
    assert sorted(told(desk)) == [("csat", "OPEN"), ("nps of pots", "OPEN")]

    # It dies while two are held back. One of them ends by itself, unheard; the other is told when the whole is good again.
    installation.stop(notify, signal.SIGKILL)
    alerts.put("pots", "RESOLVED")
    notify = installation.start("notify", name="notify-again")
    alerts.put("case", **CASE)
    assert eventually(lambda: ("case", "OPEN") in told(desk), 30), installation.logs()
    assert eventually(lambda: "alerts are not told while one about the whole" in notify.log.read_text(), 30), installation.logs()
    assert sorted(told(desk)) == [("case", "OPEN"), ("csat", "OPEN"), ("nps of pots", "OPEN")]
    alerts.put("csat", "RESOLVED")
    assert eventually(lambda: len(told(desk)) == 5, 30), (told(desk), installation.logs())
    assert sorted(told(desk)[3:]) == [("csat", "RESOLVED"), ("kettles", "OPEN")]
    alerts.put("kettles", "RESOLVED")
    assert eventually(lambda: told(desk)[5:] == [("kettles", "RESOLVED")], 30), (told(desk), installation.logs())
    ids = [id for _, id, *_ in desk.got]
    assert len(ids) == len(set(ids)), "each (alert, revision) once"


def test_doubtful_data_keep_kpi_alerts_back_but_not_their_end(make_installation, receivers):  # noqa: F811
    desk = receivers()
    installation = make_installation(**{"notify.receivers": [{"name": "desk", "url": url(desk)}]})
    alerts = Alerts(installation)
    first = installation.start("notify")
    alerts.put("csat", **kpi("csat", "all"))
    assert eventually(lambda: told(desk) == [("csat", "OPEN")], 30), installation.logs()
    alerts.put("silent", kind="DATA_QUALITY", rule="data.source_silent")
    assert eventually(lambda: told(desk)[1:] == [("silent", "OPEN")], 30), installation.logs()

    # Two processes now; whichever of them tells, it knows of the one that inhibits, wherever that is.
    installation.start("notify", name="notify-second")
    names = ["n%d" % number for number in range(12)]
    for name in names:
        alerts.put(name, **kpi("nps", "product=" + name))
    alerts.put("csat", "OPEN", severity="CRITICAL")
    alerts.put("urgent", **CASE)
    assert eventually(lambda: ("urgent", "OPEN") in told(desk), 60), (told(desk), installation.logs())
    alerts.put("csat", "RESOLVED")
    assert eventually(lambda: ("csat", "RESOLVED") in told(desk), 30), (told(desk), installation.logs())
    assert sorted(told(desk)[2:]) == [("csat", "RESOLVED"), ("urgent", "OPEN")]
    installation.stop(first, signal.SIGKILL)
    alerts.put("silent", "RESOLVED")
    assert eventually(lambda: len(told(desk)) >= 5 + len(names), 60), (told(desk), installation.logs())
    assert sorted(told(desk)[4:]) == sorted([("silent", "RESOLVED")] + [(name, "OPEN") for name in names])
