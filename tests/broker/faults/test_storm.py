"""kill -9, leaving, joining and freezing beyond the session, of any process at random moments. KILLS=50 is the long form (see run)."""

import os

import pytest
from storm import SHORT_SESSION, Crew, Traffic, judge_all

KILLS = int(os.environ.get("KILLS", "6"))
SEED = int(os.environ.get("SEED", "1"))


@pytest.mark.timeout(300 + 30 * KILLS)
def test_any_process_dies_leaves_freezes_and_the_numbers_are_those_of_the_batch(make_installation):
    # A short window and few items, so that many targets are missed.
    installation = make_installation(**SHORT_SESSION, **{"kpi.alerts.window": "5m", "kpi.alerts.least_n": 3,
                                                         "kpi.alerts.dimensions": ["all", "channel", "segment", "product"],
                                                         "alerts.absence.delivery_after": "20s", "alerts.absence.use": True, "alerts.absence.use_after": "1m"})
    crew = Crew(installation, ["journey1", "journey2", "kpi1", "kpi2", "sink"])
    traffic = Traffic(installation)
    done = crew.storm(KILLS, SEED, joins=("journey3",), freezes=1 + KILLS // 15)
    traffic.finish()
    events, kept = judge_all(installation)
    kinds = {one["kind"] for one in installation.records("alerts")}
    assert {"KPI_THRESHOLD", "ABSENCE"} <= kinds, "nothing missed its target, or nothing stayed away: %s" % kinds
    print("\nseed %d: %s; %d events, %d kept, all accounted for" % (SEED, done, events, kept))
