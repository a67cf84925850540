"""The rolling windows and their grids [4]."""

import datetime
import zoneinfo

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
SPAN = {"5m": 5 * MINUTE, "1h": HOUR, "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY, "90d": 90 * DAY}
GRID = {"5m": MINUTE, "1h": MINUTE, "24h": MINUTE, "7d": HOUR, "30d": HOUR, "90d": DAY}
ALL = tuple(SPAN)


def _local_midnight(zone, day):
    moment = datetime.datetime.combine(day, datetime.time(), zoneinfo.ZoneInfo(zone))
    return int(moment.timestamp()) * 1000


def local_day(zone, at):
    """The calendar day of an instant in the configured zone."""
    if zone == "UTC":
        return datetime.date.fromordinal(719163 + at // DAY)
    return datetime.datetime.fromtimestamp(at / 1000, zoneinfo.ZoneInfo(zone)).date()


def window_bounds(window, at, zone="UTC"):
    """(start of the window before, start, at): the window is [start, at], the one before [previous, start)."""
    span, grid = SPAN[window], GRID[window]
    if grid == DAY and zone != "UTC":
        days = span // DAY
        today = local_day(zone, at)
        return (_local_midnight(zone, today + datetime.timedelta(days=1 - 2 * days)),
                _local_midnight(zone, today + datetime.timedelta(days=1 - days)), at)
    start = at // grid * grid + grid - span
    return start - span, start, at
