"""The whole route: real files in, KPIs in Kafka and Redis out, equal to what an independent batch computation says.

Whatever order the events arrive in, however often, and however many processors share the work: the numbers are those of
the set of events."""

import datetime
import pathlib
import time

import datasets
import pytest
from installation import eventually
from judge import Judge, listing
from oracle import Config, event_from_avro
from oracle.compute import KINDS
from test_clock import clock  # noqa: F401, a fixture

MAPPINGS = pathlib.Path(__file__).parent / "mappings"

OLIST_KPIS = {"on_time_delivery", "return_rate", "review_stars", "review_low", "review_count",
              "repeat_purchase_180d", "repeat_purchase_365d"}
HELPDESK_KPIS = {"resolution_time", "handoff_wait", "backlog"}


def judge_of(installation):
    """The oracle over what a client of another make reads from `touchpoints`, with the product's own labels of texts."""
    events = [event_from_avro(record) for record in installation.records("touchpoints")]
    return Judge(events)


def settles(installation, judge, kpis, read, seconds, skip):
    """Waits until what is published equals the oracle's; fails with the list of what does not."""
    wrong = []

    def equal():
        for process in installation.running:
            assert process.poll() is None, "%s ended with %s\n%s" % (process.log.name, process.poll(), installation.logs())
        wrong[:] = judge.differences(read(), kpis, skip=skip)
        return not wrong

    assert eventually(equal, seconds, 2), listing(wrong) + "\n" + installation.logs()


def import_and_compare(installation, files, mapping, kpis, times=1, processors=1):
    for number in range(1, processors + 1):
        own = {"engine.instance": str(number)}
        installation.start("journey", name="journey%d" % number, settings=own)
        installation.start("kpi", name="kpi%d" % number, settings=own)
    installation.start("sink")
    for _ in range(times):
        installation.succeed("import", *files, "--mapping", mapping, "--rebase", "now")
    judge = judge_of(installation)
    assert judge.events
    # [13] The stage a contribution counts under is the one rollup that may depend on the order of arrival, and even the files
    # as published are not in the order of their times.
    skip = lambda key: key[1].startswith("stage=")
    settles(installation, judge, kpis, installation.kpis, 90, skip)
    settles(installation, judge, kpis, installation.redis_kpis, 90, skip)


IN_ORDER = dict(id="in file order")
TWICE = dict(id="in random order, twice over")
SHARED = dict(id="between two processors")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed,times,processors", [pytest.param(None, 1, 1, **IN_ORDER), pytest.param(7, 2, 1, **TWICE),
                                                   pytest.param(None, 1, 2, **SHARED)])
def test_olist(make_installation, data, tmp_path, seed, times, processors):
    """Orders, deliveries with their promise, reviews."""
    files = datasets.olist(data, tmp_path, seed)
    import_and_compare(make_installation(), files, "olist", OLIST_KPIS, times, processors)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mapping,seed,times,processors", [
    pytest.param("helpdesk", None, 1, 1, **IN_ORDER), pytest.param(MAPPINGS / "helpdesk_by_row.jq", 11, 2, 1, **TWICE),
    pytest.param("helpdesk", None, 1, 2, **SHARED)])
def test_helpdesk(make_installation, data, tmp_path, mapping, seed, times, processors):
    """Tickets, hand-offs, resolution."""
    files = datasets.helpdesk(data, tmp_path, seed)
    import_and_compare(make_installation(), files, mapping, HELPDESK_KPIS, times, processors)


ALL_KPIS = set(KINDS) | {"backlog", "active_customers", "stage_customers", "loyalty_share", "referral_rate", "churn_rate", "retention"}
# The product's own labels, which are tested where they are made, and what follows from them.
OF_LABELS = {"sentiment", "negative_share", "fcr", "recurring"}


@pytest.mark.timeout(700)
def test_generated_traffic(make_installation):
    """Every body record of the contract, in plausible lives, and every KPI."""
    installation = make_installation()
    installation.keep_the_past()
    installation.start_route()
    installation.succeed("generate", "--events", 10000, "--customers", 400, "--seed", 5, "--span", "300d", "--disorder", "0s", "--duplicates", "0.5")
    judge = judge_of(installation)
    assert len(judge.events) == 10000
    assert len({(event["customer_id"], event["event_id"]) for event in judge.events}) < 9900  # the others are there twice
    assert sum(event["type"] == "CustomerForgotten" for event in judge.events) >= 2  # [43]
    assert len({event["type"] for event in judge.events}) >= 16
    settles(installation, judge, ALL_KPIS - OF_LABELS, installation.kpis, 120, lambda key: False)
    settles(installation, judge, ALL_KPIS - OF_LABELS, installation.redis_kpis, 120, lambda key: False)


OFFICE = [(9 * 60, 12 * 60), (13 * 60, 17 * 60 + 30)]
TEAM_CLOCK = {"first_response_time", "first_response_calendar", "next_response_time", "sla_first_response", "response_24h", "resolution_time"}


@pytest.mark.timeout(400)
def test_business_hours_over_the_weekend_of_a_time_change(make_installation, clock):  # noqa: F811
    """Tickets of the days around 2026-10-25, when Berlin's clocks went back; days of the 90d window are Berlin's, too. For the processors it is
    November 2026 whenever this runs, or that window would be past those days some day."""
    clock.set((datetime.datetime(2026, 11, 10, 12, tzinfo=datetime.timezone.utc).timestamp() - time.time()) // 60)
    week = {day: ["09:00-12:00", "13:00-17:30"] for day in ("mon", "tue", "wed", "thu", "fri")}
    installation = make_installation(**{
        "sla.calendar": "office", "sla.calendars": {"office": {"zone": "Europe/Berlin", **week, "holidays": ["2026-10-27"]}},
        "kpi.time_zone": "Europe/Berlin"})
    installation.keep_the_past()
    for role in ("journey", "kpi"):
        installation.start(role, within=clock.within)
    installation.succeed("generate", "--events", 4000, "--customers", 150, "--seed", 9, "--start", "2026-10-20T00:00:00Z", "--span", "10d",
                         "--disorder", "0s", "--duplicates", "0")
    config = Config(zone="Europe/Berlin", calendar={"zone": "Europe/Berlin", "week": {day: OFFICE for day in range(5)}, "holidays": {"2026-10-27"}})
    judge = Judge([event_from_avro(record) for record in installation.records("touchpoints")], config)
    assert sum(event["type"] == "TicketChanged" for event in judge.events) > 500
    settles(installation, judge, TEAM_CLOCK, installation.kpis, 120, lambda key: False)
    replied = installation.kpis()
    team, customer = (replied[kpi, "all", "90d"]["value"] for kpi in ("first_response_time", "first_response_calendar"))
    assert team < customer / 2, "office hours count, not the customer's"


def test_sums_of_old_touchpoints_outlive_the_hour(make_installation):
    """Touchpoints are kept for a month, sums between the stages for two days: what is added up anew from touchpoints of three weeks ago
    is dated when it was added up, or Kafka would delete it before the kpi stage has read it."""
    installation = make_installation()
    began = time.time() * 1000
    installation.succeed("generate", "--mix", "peers", "--events", "200", "--customers", "20", "--span", "20d")
    installation.start("journey")
    dates = lambda: [message.timestamp()[1] for message in installation.messages("kpi.deltas")]
    assert eventually(dates, 60), installation.logs()
    assert min(dates()) >= began - 1000
