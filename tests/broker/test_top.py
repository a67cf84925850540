"""`touchstream top`: what it says of shifts."""

import time

HOUR, DAY = 3600 * 1000, 86400 * 1000
NOW = int(time.time() * 1000)


def shift(installation, kpi, onset, after, dimension="all", resolution="HOUR", kind="LEVEL", detected=None):
    installation.redis.xadd(installation.redis_prefix + "shifts", {
        "kpi": kpi, "dimension": dimension, "resolution": resolution, "kind": kind, "direction": "DOWN", "good": "false", "onset_at": NOW - onset,
        "detected_at": NOW - (onset if detected is None else detected), "before": 0.9, "after": after})


def test_only_shifts_that_stand_are_said(make_installation):
    installation = make_installation(topics=False)
    shift(installation, "csat_top2", 3 * DAY, 0.71)  # overtaken by the next
    shift(installation, "csat_top2", 2 * DAY, 0.72)
    shift(installation, "csat_top2", 2 * HOUR, 0.73, kind="VARIANCE")  # another thing: the level stands
    shift(installation, "csat_top2", 2 * HOUR, 0.74, kind="SPIKE")  # over as it is said
    shift(installation, "csat_top2", 5 * DAY, 0.75, resolution="DAY")  # its days are watched apart
    shift(installation, "csat_top2", 6 * DAY, 0.76, dimension="product=boots")
    shift(installation, "csat_top2", 1 * DAY, 0.765, dimension="stage=SUPPORT")  # said of its products and channels, too
    shift(installation, "sla_resolution", 8 * DAY, 0.77)  # usual by now
    shift(installation, "sla_resolution", 8 * DAY, 0.78, resolution="DAY")
    shift(installation, "sla_resolution", 40 * DAY, 0.79, resolution="DAY", dimension="channel=WEB")
    told = installation.succeed("top", "--once").stdout.split("trend shifts that stand\n")[1].splitlines()
    assert [line.split("-> ")[1].split(" %")[0] if "-> " in line else "spread" for line in told] == ["78.0", "76.0", "75.0", "spread", "72.0"], told
    assert time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime((NOW - 2 * DAY) / 1000)) in told[-1], told


def test_nothing_is_said_where_none_stands(make_installation):
    installation = make_installation(topics=False)
    shift(installation, "csat_top2", 10 * DAY, 0.71)
    assert "trend shifts" not in installation.succeed("top", "--once").stdout
