"""What a receiver is spared, is told together or is told later, seen by a real one: alerts put into the topic as the stages put them, with
processes that die meanwhile."""

import collections
import signal
import time
import uuid

from confluent_kafka import Consumer, ConsumerGroupState, TopicPartition
from confluent_kafka.admin import AdminClient
from installation import eventually
from test_mission import SECRET, receivers  # noqa: F401, a fixture
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


    def put_all(self, names, **changes):
        """Of many the first revision."""
        now = int(time.time() * 1000)
        for name in names:
            self.newest[name] = {"alert_id": "%s-%s" % (name, uuid.uuid4().hex[:8]), "revision": 1, "score": 50.0, "reasons": [], "text": name, "opened_at": now,
                                 "historical": False, "state": "OPEN", "changed_at": now, **changes}
            self.topics.put("alerts", self.newest[name]["alert_id"], self.newest[name])
        self.topics.flush()


def told(receiver):
    return [(body["data"]["text"], body["data"]["state"]) for status, _, body, _ in receiver.got if status == 200]


def is_noted(installation, **receivers):  # noqa: F811
    """All that they were told: a process that is killed a moment before that tells it again."""
    notes = collections.Counter(note["actor"] for note in installation.records("alerts.escalated") if note["text"] == "")
    return all(notes[name] >= sum(len(body.get("alerts", [body])) for status, _, body, _ in receiver.got if status == 200) for name, receiver in receivers.items())


def kpi(name, dimension):
    return {"kpi": name, "dimension": dimension}


PARTITIONS = {"topics.partitions": 16}  # so that `alerts` has four, and one alert stands apart from another
CASE = {"rule": "case", "kind": "HOT_TICKET", "severity": "CRITICAL", "customer_id": "c-1"}


def url(receiver):
    return receiver.settings["notify.receivers"][0]["url"]


def members(installation, group):
    """How many have a place in a settled group; 0: it is not settled."""
    admin = AdminClient({"bootstrap.servers": installation.services["KAFKA"]})
    name = installation.topic(group)
    found = admin.describe_consumer_groups([name])[name].result(30)
    return len(found.members) if found.state == ConsumerGroupState.STABLE else 0


# --- inhibition -------------------------------------------------------------------------------------------------------

def test_parts_are_not_told_while_the_whole_is_and_who_opts_out_hears_them(make_installation, receivers):  # noqa: F811
    desk, stubborn = receivers(), receivers()
    installation = make_installation(**{**PARTITIONS, "notify.receivers": [{"name": "desk", "url": url(desk)}, {"name": "stubborn", "url": url(stubborn), "inhibit": False}]})
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
    assert eventually(lambda: is_noted(installation, desk=desk, stubborn=stubborn), 20), installation.logs()
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
    installation = make_installation(**{**PARTITIONS, "notify.receivers": [{"name": "desk", "url": url(desk)}]})
    alerts = Alerts(installation)
    first = installation.start("notify")
    alerts.put("csat", **kpi("csat", "all"))
    assert eventually(lambda: told(desk) == [("csat", "OPEN")], 30), installation.logs()
    alerts.put("silent", kind="DATA_QUALITY", rule="data.source_silent")
    assert eventually(lambda: told(desk)[1:] == [("silent", "OPEN")], 30), installation.logs()

    # Two processes now; whichever of them tells, it knows of the one that inhibits, wherever that is.
    installation.start("notify", name="notify-second")
    assert eventually(lambda: members(installation, "notify.desk") == 2, 40), installation.logs()
    names = ["n%d" % number for number in range(12)]
    for name in names:
        alerts.put(name, **kpi("nps", "product=" + name))
    alerts.put("csat", "OPEN", severity="CRITICAL")
    alerts.put("urgent", **CASE)
    assert eventually(lambda: ("urgent", "OPEN") in told(desk), 60), (told(desk), installation.logs())
    assert not eventually(lambda: len(told(desk)) > 3, 5), told(desk)
    alerts.put("csat", "RESOLVED")
    assert eventually(lambda: ("csat", "RESOLVED") in told(desk), 30), (told(desk), installation.logs())
    assert sorted(told(desk)[2:]) == [("csat", "RESOLVED"), ("urgent", "OPEN")]
    installation.stop(first, signal.SIGKILL)
    alerts.put("silent", "RESOLVED")
    heard = lambda: sorted({id: (body["data"]["text"], body["data"]["state"]) for _, id, body, _ in desk.got}.values())  # a kill may repeat one: same id
    wanted = sorted([("csat", "OPEN"), ("csat", "RESOLVED"), ("silent", "OPEN"), ("silent", "RESOLVED"), ("urgent", "OPEN")] + [(name, "OPEN") for name in names])
    assert eventually(lambda: heard() == wanted, 60), (heard(), installation.logs())


def test_who_takes_over_repeats_nothing_that_was_settled(make_installation, receivers):  # noqa: F811
    """One process of the group reads all partitions of a receiver that inhibits, also those that the group has given to another."""
    desk = receivers()
    installation = make_installation(**{**PARTITIONS, "notify.receivers": [{"name": "desk", "url": url(desk)}]})
    alerts = Alerts(installation)
    running, count = [installation.start("notify", name="notify-0")], 0
    group = Consumer({"bootstrap.servers": installation.services["KAFKA"], "group.id": installation.topic("notify.desk")})
    def is_settled():
        """All that is in `alerts` is committed, of every partition."""
        topic = installation.topic("alerts")
        parts = [TopicPartition(topic, number) for number in group.list_topics(topic, 10).topics[topic].partitions]
        ends = [group.get_watermark_offsets(part, 10)[1] for part in parts]
        return len(parts) == 4 and [max(part.offset, 0) for part in group.committed(parts, 10)] == ends
    def tell(many):
        nonlocal count
        for _ in range(many):
            alerts.put("n%d" % count, **CASE)
            count += 1
        assert eventually(lambda: len(set(told(desk))) == count, 60), (told(desk), installation.logs())
    tell(1)
    for number in (1, 2, 3):
        running.append(installation.start("notify", name="notify-%d" % number))
        assert eventually(lambda: members(installation, "notify.desk") == 2, 40), installation.logs()
        tell(16)
        assert eventually(is_settled, 20, 0.5), installation.logs()
        installation.stop(running.pop(0), signal.SIGKILL)
        tell(2)
    group.close()
    assert len(told(desk)) == count, "repeated: %s" % sorted(name for name in set(told(desk)) if told(desk).count(name) > 1)


# --- grouping ---------------------------------------------------------------------------------------------------------

def messages(receiver):
    """What each message told: {(alert, state), …}, a list."""
    return [{(one["data"]["text"], one["data"]["state"]) for one in body["alerts"]} for status, _, body, _ in receiver.got if status == 200]


def group_of(receiver):
    return [body["group"] for status, _, body, _ in receiver.got if status == 200]


def test_what_belongs_together_is_one_message_whatever_dies(make_installation, receivers):  # noqa: F811
    channel = receivers()
    installation = make_installation(**{**PARTITIONS, "notify.receivers": [
        {"name": "channel", "url": url(channel), "secret": SECRET, "inhibit": False, "group_by": ["kpi", "severity"], "group_wait": "4s", "group_interval": "30s"}]})
    alerts = Alerts(installation)
    notify = installation.start("notify")
    # Once the first group's message has come, it reads live: what follows is told by its waits alone.
    alerts.put("warm-up", **kpi("nps", "all"))
    assert eventually(lambda: messages(channel) == [{("warm-up", "OPEN")}], 30), installation.logs()
    for name in ("a", "b", "c"):
        alerts.put(name, **kpi("csat", "product=" + name))
    alerts.put("grave", severity="CRITICAL", **kpi("csat", "all"))
    alerts.put("brief", **kpi("csat", "channel=CHAT"))
    alerts.put("brief", "RESOLVED")
    assert eventually(lambda: len(messages(channel)) == 3, 20), (messages(channel), installation.logs())
    of_csat = time.monotonic()
    assert {("a", "OPEN"), ("b", "OPEN"), ("c", "OPEN")} in messages(channel) and {("grave", "OPEN")} in messages(channel)
    assert {"kpi": "csat", "severity": "WARNING"} in group_of(channel) and all(is_signed for *_, is_signed in channel.got)
    assert all(one["type"] == "touchstream.alert" for _, _, body, _ in channel.got for one in body["alerts"])

    # More of that group waits for its interval, which goes on while the process is killed and another one begins.
    assert eventually(lambda: is_noted(installation, channel=channel), 20), installation.logs()
    alerts.put("d", **kpi("csat", "product=d"))
    alerts.put("a", "RESOLVED")
    installation.stop(notify, signal.SIGKILL)
    installation.start("notify", name="notify-again")
    assert eventually(lambda: len(messages(channel)) == 4, 60), (messages(channel), installation.logs())
    assert messages(channel)[3] == {("d", "OPEN"), ("a", "RESOLVED")}, "together, and nothing that was told before"
    assert time.monotonic() - of_csat > 25, "not before the interval is over"
    ids = [id for _, id, *_ in channel.got]
    assert len(set(ids)) == 4 and all(id.startswith("group-") for id in ids)


def test_a_group_is_kept_as_one_and_reads_as_a_list(make_installation, receivers):  # noqa: F811
    """Slack's form: forty at once are one text. What it refuses is kept whole; what it did not take at first, it gets again under the same id."""
    channel = receivers(lambda body, attempt: 400 if "refused" in body["text"] else 500 if attempt == 1 else 200)
    installation = make_installation(**{**PARTITIONS, "notify.retry_first": "50ms", "notify.receivers": [
        {"name": "channel", "form": "slack", "url": url(channel), "group_by": [], "group_wait": "3s", "group_interval": "1s"}]})
    alerts = Alerts(installation)
    installation.start("notify")
    alerts.put_all(["trouble %d" % number for number in range(40)], **{**CASE, "severity": "WARNING"})
    alerts.put("urgent", **CASE)
    texts = lambda status: [body["text"] for was, _, body, _ in channel.got if was == status]
    total = lambda: sum(int(text.split()[0]) if " alerts, " in text else 1 for text in texts(200))
    assert eventually(lambda: total() == 41, 30), (texts(200), installation.logs())
    first = next(text for text in texts(200) if "urgent" in text)
    assert first.split("\n")[0].endswith("of them open") and "urgent" in first.split("\n")[1], "the gravest first: %s" % first
    assert len(first.split("\n")) == 22 and "\nand " in first
    assert [id for status, id, *_ in channel.got][:2] == [channel.got[0][1]] * 2, "the same id again"
    for number in range(3):
        alerts.put("refused %d" % number, **CASE)
    kept = lambda: "".join(one["payload"].decode() for one in installation.records("alerts.undelivered"))
    assert eventually(lambda: all("refused %d" % number in kept() for number in range(3)), 30), (kept(), installation.logs())


def test_a_large_group_goes_out_at_once_in_parts(make_installation, receivers):  # noqa: F811
    """500 at once, and an hour to the next message: three for a program, one for people."""
    program, people = receivers(), receivers()
    common = {"group_by": ["rule"], "group_wait": "5s", "group_interval": "1h"}
    installation = make_installation(**{**PARTITIONS, "notify.receivers": [
        {"name": "program", "url": url(program), "secret": SECRET, **common}, {"name": "people", "form": "slack", "url": url(people), **common}]})
    alerts = Alerts(installation)
    installation.start("notify")
    names = ["trouble %d" % number for number in range(500)]
    alerts.put_all(names, **{**CASE, "severity": "WARNING"})
    assert eventually(lambda: len(texts(program)) == 500 and people.got, 60), (len(texts(program)), installation.logs())
    assert sorted(texts(program)) == sorted((name, "OPEN") for name in names)
    assert [(body["part"], body["parts"], len(body["alerts"])) for _, _, body, _ in program.got] == [(1, 3, 200), (2, 3, 200), (3, 3, 100)]
    assert len({id for _, id, *_ in program.got}) == 3 and all(is_signed for *_, is_signed in program.got)
    (_, _, body, _), = people.got
    assert body["text"].startswith("500 alerts, 500 of them open") and "and 480 more" in body["text"]


def test_who_wants_to_be_reminded_is_until_somebody_acts(make_installation, receivers):  # noqa: F811
    """With a process that dies meanwhile. Each time is a message of its own, by its id."""
    desk, once = receivers(), receivers()
    installation = make_installation(**{**PARTITIONS, "notify.receivers": [
        {"name": "desk", "url": url(desk), "secret": SECRET, "repeat_interval": "3s"}, {"name": "once", "url": url(once)}]})
    alerts = Alerts(installation)
    notify = installation.start("notify")
    alerts.put("case", **CASE)
    alerts.put("kpi", **kpi("csat", "all"))
    times = lambda name: [body.get("unacknowledged_ms", 0) for _, _, body, _ in desk.got if (body["data"]["text"], body["data"]["state"]) == (name, "OPEN")]
    assert eventually(lambda: len(times("case")) >= 2 and len(times("kpi")) >= 2, 40), (told(desk), installation.logs())
    assert eventually(lambda: is_noted(installation, desk=desk, once=once), 20), installation.logs()
    installation.stop(notify, signal.SIGKILL)
    notify = installation.start("notify", name="notify-again")
    assert eventually(lambda: len(times("case")) >= 4 and len(times("kpi")) >= 4, 40), (told(desk), installation.logs())
    for waited in (times("case"), times("kpi")):
        assert waited[0] == 0 and all(later - sooner >= 2900 for sooner, later in zip(waited, waited[1:])), waited
    alerts.put("case", "ACKNOWLEDGED")
    alerts.put("kpi", "RESOLVED")
    assert eventually(lambda: {("case", "ACKNOWLEDGED"), ("kpi", "RESOLVED")} <= set(told(desk)), 30), installation.logs()
    heard = len(desk.got)
    alerts.put("last", **CASE)
    assert eventually(lambda: told(desk).count(("last", "OPEN")) >= 3, 40), installation.logs()
    assert all(name == "last" for name, _ in told(desk)[heard:]), told(desk)
    assert len({id for _, id, *_ in desk.got}) == len(desk.got) and all(is_signed for *_, is_signed in desk.got)
    assert sorted(told(once)) == sorted([("case", "OPEN"), ("kpi", "OPEN"), ("case", "ACKNOWLEDGED"), ("kpi", "RESOLVED"), ("last", "OPEN")])


# --- the daily cap ----------------------------------------------------------------------------------------------------

def test_what_is_beyond_the_days_messages_comes_in_one_digest(make_installation, receivers):  # noqa: F811
    channel = receivers()
    def day_ends(seconds):
        """Of settings in which it does in so long."""
        return {"notify.receivers": [{"name": "channel", "url": url(channel), "secret": SECRET, "daily_max": 3,
                                      "digest_at": time.strftime("%H:%M:%S", time.gmtime(time.time() + seconds))}]}
    installation = make_installation(**{**PARTITIONS, **day_ends(40000)})
    alerts = Alerts(installation)
    told_here = lambda: [(body["data"]["text"], body["data"]["state"]) for _, _, body, _ in channel.got if body["type"] == "touchstream.alert"]
    digests = lambda: [(id, body) for _, id, body, _ in channel.got if body["type"] == "touchstream.digest"]
    notes = lambda text: {one["alert_id"] for one in installation.records("alerts.escalated") if one["text"] == text}
    of_case = {**CASE, "severity": "WARNING"}
    notify = installation.start("notify")
    for number in range(2):
        alerts.put("told %d" % number, **of_case)
    assert eventually(lambda: len(told_here()) == 2, 30), installation.logs()

    # It dies; the next one knows that two are told, and tells one more. What is critical, and that it is over, is told all the same.
    assert eventually(lambda: is_noted(installation, channel=channel), 20), installation.logs()
    installation.stop(notify, signal.SIGKILL)
    notify = installation.start("notify", name="notify-again")
    for number in range(7):
        alerts.put("beyond %d" % number, **of_case)
    assert eventually(lambda: len(notes("capped")) == 6, 40), (told_here(), installation.logs())
    alerts.put("urgent", **CASE)
    alerts.put("told 0", "RESOLVED")
    assert eventually(lambda: {("urgent", "OPEN"), ("told 0", "RESOLVED")} <= set(told_here()), 30), installation.logs()
    assert len(told_here()) == 5 and sum(name.startswith("beyond") for name, _ in told_here()) == 1, told_here()
    put_off = [name for name in alerts.newest if name.startswith("beyond") and (name, "OPEN") not in told_here()]
    alerts.put(put_off[0], "RESOLVED")
    assert not digests()
    assert eventually(lambda: is_noted(installation, channel=channel), 20), installation.logs()
    installation.stop(notify, signal.SIGKILL)

    # The day ends, in a moment, or while nobody is there.
    ends = int(time.time() + 3)
    next_day = day_ends(3)
    notify = installation.start("notify", name="notify-once-more", settings=next_day)
    assert eventually(digests, 60), installation.logs()
    assert time.time() >= ends
    (id, digest), = digests()
    assert digest["count"] == 6 and digest["counts"] == [{"rule": "case", "severity": "WARNING", "count": 6, "open": 5}], digest
    assert {one["data"]["text"] for one in digest["gravest"]} == set(put_off) and digest["gravest"][-1]["data"]["state"] == "RESOLVED"
    assert id.startswith("digest-channel-") and all(is_signed for *_, is_signed in channel.got)

    # A new day: who was in the digest is not told again, whatever dies; what is new is.
    assert eventually(lambda: len(notes("digest")) == 6, 20), installation.logs()
    installation.stop(notify, signal.SIGKILL)
    installation.start("notify", name="notify-next-day", settings=next_day)
    for name in put_off[1:3]:
        alerts.put(name, "RESOLVED")
    alerts.put("new", **of_case)
    assert eventually(lambda: ("new", "OPEN") in told_here(), 40), installation.logs()
    assert len(told_here()) == 6 and len(digests()) == 1, (told_here(), digests())


# --- how far back what was told is known ------------------------------------------------------------------------------

def test_the_end_of_what_was_told_long_ago_is_told(make_installation, receivers):  # noqa: F811
    """A KPI may miss its target for months, and whoever was paged then is to hear when that is over, whatever restarts meanwhile."""
    desk = receivers()
    installation = make_installation(**{**PARTITIONS, "notify.receivers": [{"name": "desk", "url": url(desk)}]})
    alerts = Alerts(installation)
    long_ago = int(time.time() * 1000) - 80 * 86400000
    old = {"alert_id": "csat-1", "revision": 1, "rule": "kpi.target", "kind": "KPI_THRESHOLD", "severity": "WARNING", "score": 50.0, "reasons": [], "text": "csat",
           "opened_at": long_ago, "changed_at": long_ago, "historical": False, "state": "OPEN", **kpi("csat", "all")}
    alerts.topics.put("alerts", "csat-1", old, timestamp=long_ago)
    alerts.topics.put("alerts.escalated", "csat-1", {**old, "text": "", "actor": "desk"}, timestamp=long_ago)
    alerts.topics.flush()
    alerts.newest["csat"] = old
    installation.start("notify")
    alerts.put("case", **CASE)
    assert eventually(lambda: told(desk) == [("case", "OPEN")], 30), (told(desk), installation.logs())
    alerts.put("csat", "RESOLVED")
    assert eventually(lambda: told(desk)[1:] == [("csat", "RESOLVED")], 30), (told(desk), installation.logs())


def test_the_end_is_told_of_what_lasts_longer_than_notes_are_kept(make_installation, receivers):  # noqa: F811
    """90 days later nothing of it is in the topics but what was noted again: so they are here, in the second installation."""
    desk = receivers()
    settings = {**PARTITIONS, "notify.receivers": [{"name": "desk", "url": url(desk)}]}
    installation, later = make_installation(**settings), make_installation(**settings)
    alerts, alerts_later = Alerts(installation), Alerts(later)
    long_ago = int(time.time() * 1000) - 80 * 86400000
    for name, state in (("csat", "OPEN"), ("fcr", "OPEN"), ("fcr", "RESOLVED")):
        told_of = {"alert_id": name + "-1", "revision": 1 + (state != "OPEN"), "rule": "kpi.target", "kind": "KPI_THRESHOLD", "severity": "WARNING", "score": 50.0,
                   "reasons": [], "text": name, "opened_at": long_ago, "changed_at": long_ago, "historical": False, "state": state, **kpi(name, "all")}
        alerts_later.newest[name] = told_of
        alerts.topics.put("alerts.escalated", name + "-1", {**told_of, "text": "", "actor": "desk"}, timestamp=long_ago)
    alerts.topics.flush()
    noted = lambda *texts: [one for one in installation.records("alerts.escalated") if one["text"] in texts]
    notify = installation.start("notify")
    assert eventually(lambda: len(noted("begun", "kept")) == 2, 30), (installation.records("alerts.escalated"), installation.logs())
    assert [one["alert_id"] for one in noted("kept")] == ["csat-1"], noted("kept")  # fcr is over
    installation.stop(notify)
    notify = installation.start("notify", name="notify-again")
    assert eventually(lambda: len(noted("begun")) == 2, 30) and len(noted("kept")) == 1, noted("kept")  # a note of today needs no other

    for note in noted("begun", "kept")[:3]:
        alerts_later.topics.put("alerts.escalated", note["alert_id"], note)
    alerts_later.topics.flush()
    later.start("notify", name="notify-later")
    alerts_later.put("csat", "RESOLVED")
    assert eventually(lambda: told(desk) == [("csat", "RESOLVED")], 30), (told(desk), later.logs())


def test_who_was_acknowledged_while_a_slow_receiver_is_told_of_others_is_not_told(make_installation, receivers):  # noqa: F811
    slow = receivers(lambda body, attempt: time.sleep(0.5) or 200)
    installation = make_installation(**{**PARTITIONS, "notify.receivers": [{"name": "boss", "url": url(slow), "after": "2s"}]})
    alerts = Alerts(installation)
    installation.start("notify")
    names = ["case %d" % number for number in range(40)]
    for name in names:
        alerts.put(name, **CASE)
    assert eventually(lambda: told(slow), 30), installation.logs()
    for name in names:
        alerts.put(name, "ACKNOWLEDGED")
    alerts.put("last", **CASE)
    assert eventually(lambda: ("last", "OPEN") in told(slow), 60), (told(slow), installation.logs())
    assert len([name for name, state in told(slow) if state == "OPEN"]) < 25, told(slow)


# --- other settings ---------------------------------------------------------------------------------------------------

def end_offsets(installation, topic):
    ends = {message.partition(): message.offset() + 1 for message in installation.messages(topic)}
    return [TopicPartition(installation.topic(topic), partition, offset) for partition, offset in ends.items()]


def texts(receiver):
    """What it was told, also of messages about several."""
    found = []
    for status, _, body, _ in receiver.got:
        if status == 200:
            found += [(one["data"]["text"], one["data"]["state"]) for one in body.get("alerts", [body])]
    return found


def test_who_gets_other_settings_hears_nothing_twice_and_of_every_end(make_installation, receivers):  # noqa: F811
    desk = receivers()
    installation = make_installation(**{**PARTITIONS, "notify.max_age": "1m"})
    alerts = Alerts(installation)
    modes = [{"inhibit": False}, {"group_by": ["rule"], "group_wait": "1s", "group_interval": "1s"}, {"after": "2s"}, {"daily_max": 100}, {}, {"inhibit": False}]
    for number, mode in enumerate(modes):
        notify = installation.start("notify", name="notify-%d" % number, settings={"notify.receivers": [{"name": "desk", "url": url(desk), **mode}]})
        # The first are older than notify.max_age by the second round, but not before it is there to tell them.
        assert number or eventually(lambda: members(installation, "notify.desk") == 1, 40), installation.logs()
        for kind, changes in (("case", {**CASE, "severity": "WARNING"}), ("kpi", kpi("csat", "all"))):
            alerts.put("%s %d" % (kind, number), **changes, changed_at=int(time.time() * 1000) - (0 if number else 45000))
            if number:
                alerts.put("%s %d" % (kind, number - 1), "RESOLVED")
        wanted = sorted([("%s %d" % (kind, one), "OPEN") for kind in ("case", "kpi") for one in range(number + 1)] +
                        [("%s %d" % (kind, one), "RESOLVED") for kind in ("case", "kpi") for one in range(number)])
        assert eventually(lambda: sorted(texts(desk)) == wanted, 40), (mode, sorted(texts(desk)), installation.logs())
        assert installation.stop(notify) == 0
    installation.start("notify", name="notify-last", settings={"notify.receivers": [{"name": "desk", "url": url(desk)}]})
    alerts.put("last", **CASE)
    assert eventually(lambda: ("last", "OPEN") in texts(desk), 30), installation.logs()
    assert sorted(texts(desk)) == sorted(wanted + [("last", "OPEN")])


def test_what_waited_to_be_acknowledged_is_told_when_it_no_longer_has_to(make_installation, receivers):  # noqa: F811
    boss = receivers()
    installation = make_installation(**PARTITIONS)
    alerts = Alerts(installation)
    notify = installation.start("notify", settings={"notify.receivers": [{"name": "boss", "url": url(boss), "after": "1h"}]})
    alerts.put("waits", **CASE)
    assert eventually(lambda: "begun" in [one["text"] for one in installation.records("alerts.escalated")], 30), installation.logs()
    assert installation.stop(notify) == 0
    assert not boss.got
    installation.start("notify", name="notify-again", settings={"notify.receivers": [{"name": "boss", "url": url(boss)}]})
    assert eventually(lambda: texts(boss) == [("waits", "OPEN")], 30), (texts(boss), installation.logs())


def test_what_a_version_without_notes_has_told_is_taken_for_told(make_installation, receivers):  # noqa: F811
    """It had told whatever it had committed."""
    desk = receivers()
    installation = make_installation(**{**PARTITIONS, "notify.receivers": [{"name": "desk", "url": url(desk)}]})
    alerts = Alerts(installation)
    alerts.put("old", **CASE)
    group = Consumer({"bootstrap.servers": installation.services["KAFKA"], "group.id": installation.topic("notify.desk")})
    group.commit(offsets=end_offsets(installation, "alerts"), asynchronous=False)
    group.close()
    for name in ("notify", "notify-again"):
        notify = installation.start("notify", name=name)
        alerts.put(name, **CASE)
        assert eventually(lambda: (name, "OPEN") in told(desk), 30), (told(desk), installation.logs())
        assert installation.stop(notify) == 0
    installation.start("notify", name="notify-last")
    alerts.put("old", "RESOLVED")
    assert eventually(lambda: ("old", "RESOLVED") in told(desk), 30), installation.logs()
    assert told(desk) == [("notify", "OPEN"), ("notify-again", "OPEN"), ("old", "RESOLVED")]
