"""kill -9, leaving, joining and freezing beyond the session, of any process at random moments. KILLS=50 is the long form (see run)."""

import os

import pytest
from storm import SHORT_SESSION, Crew, Traffic, judge_all

KILLS = int(os.environ.get("KILLS", "6"))
SEED = int(os.environ.get("SEED", "1"))


@pytest.mark.timeout(300 + 30 * KILLS)
def test_any_process_dies_leaves_freezes_and_the_numbers_are_those_of_the_batch(make_installation):
    installation = make_installation(**SHORT_SESSION)
    crew = Crew(installation, ["journey1", "journey2", "kpi1", "kpi2", "sink"])
    traffic = Traffic(installation)
    done = crew.storm(KILLS, SEED, joins=("journey3",), freezes=1 + KILLS // 15)
    traffic.finish()
    events, kept = judge_all(installation)
    print("\nseed %d: %s; %d events, %d kept, all accounted for" % (SEED, done, events, kept))
