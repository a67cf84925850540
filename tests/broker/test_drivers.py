"""A shift names what it comes from, though the series of a product lies in another partition of kpi.deltas than the whole: in its record, in Redis,
on the page's API, and where people are told of it."""

import json
import random

from installation import eventually
from test_bad_input import good, moment
from test_mission import receivers  # noqa: F401, a fixture

DAYS, LOW_HOURS, AN_HOUR = 21, 6, 20


def answers(dice):
    """Two fifths are about boots, which fall six hours ago from 4.3 to 1.5; coats stay. Channels have nothing to do with it."""
    for hour in range(DAYS * 24, -1, -1):
        for number in range(AN_HOUR):
            is_boots = number % 5 < 2
            score = dice.choice((1, 2, 1, 2) if is_boots and hour < LOW_HOURS else (4, 4, 5, 5, 4, 3))
            yield good(customer_id="c-%d" % dice.randrange(900), occurred_at=moment(hours=hour, seconds=1 + dice.randrange(30)),
                       channel=dice.choice(("CHAT", "EMAIL")), product="boots" if is_boots else "coats",
                       data={"survey_id": "s-%d-%d" % (hour, number), "kind": "CSAT", "score": score, "comment": None})


def test_a_shift_names_the_product_that_it_comes_from(make_installation, receivers):  # noqa: F811
    receiver = receivers()
    receiver.settings["notify.receivers"][0] |= {"rules": ["trend.shift"], "group_by": ["kpi"], "group_wait": "3s"}
    installation = make_installation(**receiver.settings, **{"trend.warm_up": "5s"})
    installation.start_route(("journey", "kpi", "sink", "notify"))
    file = installation.folder / "weeks.ndjson"
    file.write_text("".join(json.dumps(event) + "\n" for event in answers(random.Random(11))))
    installation.succeed("import", file)
    shifts = lambda: [shift for shift in installation.records("trend.shifts")
                      if (shift["kpi"], shift["dimension"], shift["direction"]) == ("csat", "all", "DOWN") and shift["kind"] in ("LEVEL", "SPIKE")]
    assert eventually(shifts, 120, 1), installation.logs()
    for shift in shifts():
        first = shift["drivers"][0]
        assert first["dimension"] == "product=boots", shift
        assert 0.7 < first["share"] < 1.3 and first["rate_effect"] < -0.7 and abs(first["mix_effect"]) < 0.3, shift
        assert not any(driver["dimension"].startswith("channel=") for driver in shift["drivers"]), shift
    everything = installation.records("trend.shifts")
    ids = [shift["shift_id"] for shift in everything]
    assert len(ids) == len(set(ids)), everything  # each is said once
    key = installation.redis_prefix + "shifts"
    kept = lambda: {entry["shift_id"]: entry for _, entry in installation.redis.xrevrange(key)}
    assert eventually(lambda: all(shift["shift_id"] in kept() for shift in shifts()), 20)
    assert json.loads(kept()[shifts()[0]["shift_id"]]["drivers"])[0]["dimension"] == "product=boots"
    assert installation.records("touchpoints.rejected") == []

    told = lambda: [event["data"]["text"] for status, _, body, _ in receiver.got if status == 200 for event in body["alerts"]
                    if (event["data"]["kpi"], event["data"]["dimension"], event["data"]["state"]) == ("csat", "all", "OPEN")]
    assert eventually(told, 60), installation.logs()
    assert [text.endswith(" from product=boots") for text in told()] == [True], told()
