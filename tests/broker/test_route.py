"""The whole route: real files in, KPIs in Kafka and Redis out, equal to what an independent batch computation says.

Whatever order the events arrive in, however often, and however many processors share the work: the numbers are those of
the set of events."""

import pathlib

import datasets
import pytest
from installation import eventually
from judge import Judge, listing
from oracle import event_from_avro

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
        wrong[:] = judge.differences(read(), kpis, skip=skip)
        return not wrong

    assert eventually(equal, seconds, 2), listing(wrong) + "\n" + installation.logs()


def import_and_compare(installation, files, mapping, kpis, times=1, processors=1, in_order=True):
    for number in range(1, processors + 1):
        own = {"engine.instance": str(number)}
        installation.start("journey", name="journey%d" % number, settings=own)
        installation.start("kpi", name="kpi%d" % number, settings=own)
    installation.start("sink")
    for _ in range(times):
        installation.succeed("import", *files, "--mapping", MAPPINGS / mapping, "--rebase", "now")
    judge = judge_of(installation)
    assert judge.events
    # [13] The stage a contribution counts under is the one rollup that may depend on the order of arrival.
    skip = (lambda key: False) if in_order else (lambda key: key[1].startswith("stage="))
    settles(installation, judge, kpis, installation.kpis, 90, skip)
    settles(installation, judge, kpis, installation.redis_kpis, 30, skip)
    assert all(process.poll() is None for process in installation.running), installation.logs()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("how", ["in file order", "in random order, twice over", "between two processors"])
def test_olist(make_installation, data, tmp_path, how):
    files = datasets.olist(data, tmp_path, seed=7 if "random" in how else None)
    import_and_compare(make_installation(), files, "olist.jq", OLIST_KPIS, times=2 if "twice" in how else 1,
                       processors=2 if "two" in how else 1, in_order="file order" in how)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("how", ["in file order", "in random order, twice over", "between two processors"])
def test_helpdesk(make_installation, data, tmp_path, how):
    files = datasets.helpdesk(data, tmp_path, seed=11 if "random" in how else None)
    import_and_compare(make_installation(), files, "helpdesk.jq", HELPDESK_KPIS, times=2 if "twice" in how else 1,
                       processors=2 if "two" in how else 1, in_order="file order" in how)


GENERATED_KPIS = {"nps", "brand_nps", "csat", "csat_top2", "ces", "ces_easy", "review_stars", "review_low", "review_count",
                  "survey_completion", "on_time_delivery", "return_rate", "first_response_time", "resolution_time",
                  "handoff_wait", "backlog", "repeat_purchase_180d", "repeat_purchase_365d"}


@pytest.mark.timeout(300)
def test_generated_traffic(make_installation):
    """Every body record of the contract, in plausible lives: the KPIs of the real sets and those they have nothing for."""
    installation = make_installation()
    installation.start_route()
    installation.succeed("generate", "--events", 20000, "--customers", 800, "--seed", 5)
    judge = judge_of(installation)
    assert len(judge.events) == 20000
    assert len({event["type"] for event in judge.events}) >= 16
    settles(installation, judge, GENERATED_KPIS, installation.kpis, 90, lambda key: False)
    settles(installation, judge, GENERATED_KPIS, installation.redis_kpis, 30, lambda key: False)
