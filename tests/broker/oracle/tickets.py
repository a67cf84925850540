"""The ticket KPIs [20–31]: each ticket is read once from its sorted events, and says what it contributes."""

import datetime
import zoneinfo
from dataclasses import dataclass, field

from .items import Item
from .rollups import standard, single
from .windows import DAY, HOUR

UNPAUSES = {"CUSTOMER_REPLIED", "ESCALATED", "HANDED_OFF", "RESOLVED", "CLOSED", "REOPENED"}  # [22]
TAKES_UP = {"AGENT_REPLIED", "ASSIGNED", "PENDING", "ESCALATED", "RESOLVED", "CLOSED"}  # [27]


@dataclass
class Handoff:
    at: int
    team: str
    ended_at: int = None  # when the receiving team took it up, or the next real hand-off


@dataclass
class Episode:
    start: dict
    stage: str
    first_of_ticket: dict
    events: list = field(default_factory=list)
    ended_at: int = None
    end_action: str = None
    handoffs: list = field(default_factory=list)
    teams: list = field(default_factory=list)  # (at, team in charge from then on)
    pauses: list = field(default_factory=list)  # [from, to or None]

    @property
    def opened_at(self):
        return self.start["occurred_at"]

    def open_at(self, at):
        return self.opened_at <= at and (self.ended_at is None or self.ended_at > at)

    def team_at(self, at):
        team = None
        for since, name in self.teams:
            if since <= at:
                team = name
        return team

    def dimensions(self, team):
        """[11] Those of the episode's first event; product and segment from the ticket's first where null."""
        first = self.first_of_ticket
        return standard(self.start["channel"], self.start["product"] or first["product"],
                        self.start["segment"] or first["segment"], self.stage, team)

    def dimensions_by(self, event):
        """Team: that of the ending event if it names one, else the team in charge."""
        return self.dimensions(event["data"]["team"] or self.team_before(event))

    def team_before(self, event):
        team = None
        for moment in self.events:
            if moment is event:
                break
            if moment["data"]["action"] in ("OPENED", "REOPENED", "ASSIGNED", "HANDED_OFF") and moment["data"]["team"]:
                team = moment["data"]["team"]
        return team


def working_ms(calendar, start, end):
    """Milliseconds of [start, end] within the calendar; none means around the clock."""
    if end <= start:
        return 0
    if not calendar:
        return end - start
    zone = zoneinfo.ZoneInfo(calendar["zone"])
    day = datetime.datetime.fromtimestamp(start / 1000, zone).date() - datetime.timedelta(days=1)
    last = datetime.datetime.fromtimestamp(end / 1000, zone).date()
    total = 0
    while day <= last:
        if day.isoformat() not in calendar.get("holidays", ()):
            for opens, closes in calendar["week"].get(day.weekday(), ()):  # minutes of the local day
                total += max(0, min(end, _instant(zone, day, closes)) - max(start, _instant(zone, day, opens)))
        day += datetime.timedelta(days=1)
    return total


def _instant(zone, day, minute):
    day += datetime.timedelta(days=minute // (24 * 60))
    minute %= 24 * 60
    return int(datetime.datetime.combine(day, datetime.time(minute // 60, minute % 60), zone).timestamp()) * 1000


def team_ms(episode, config, start, end):
    """[22] The team's clock over [start, end]: the calendar less the pauses."""
    total = working_ms(config.calendar, start, end)
    for paused_from, paused_to in episode.pauses:
        total -= working_ms(config.calendar, max(start, paused_from), min(end, end if paused_to is None else paused_to))
    return total


def team_deadline(episode, config, start, target, horizon):
    """The first instant at which team time reaches the target, or None up to the horizon."""
    if team_ms(episode, config, start, horizon) < target:
        return None
    low, high = start, horizon
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if team_ms(episode, config, start, middle) >= target else (middle + 1, high)
    return low


def episodes_of(events, stage_after):
    """[20] Sorted events of one ticket to its episodes; everything between episodes is ignored."""
    episodes, current, handoff, team = [], None, None, None
    for event in events:
        action, named, at = event["data"]["action"], event["data"]["team"], event["occurred_at"]
        if current is None:
            if action not in ("OPENED", "REOPENED"):
                continue
            current = Episode(event, stage_after[event["event_id"]], events[0])
            episodes.append(current)
            handoff, team = None, None
        elif action == "OPENED":
            continue
        real_handoff = action == "HANDED_OFF" and named and named != team  # [27, 53]
        if handoff and (real_handoff or (action in TAKES_UP and named in (None, "", handoff.team))):
            handoff.ended_at = at
            handoff = None
        if real_handoff:
            handoff = Handoff(at, named)
            current.handoffs.append(handoff)
        if action in UNPAUSES and current.pauses and current.pauses[-1][1] is None:
            current.pauses[-1][1] = at
        if action == "PENDING" and (not current.pauses or current.pauses[-1][1] is not None):
            current.pauses.append([at, None])
        if action in ("OPENED", "REOPENED", "ASSIGNED", "HANDED_OFF") and named:
            team = named
            current.teams.append((at, named))
        current.events.append(event)
        if action in ("RESOLVED", "CLOSED"):
            current.ended_at, current.end_action = at, action
            current = None
    return episodes


class Ticket:
    def __init__(self, events, stage_after, topics):
        self.events = events
        self.episodes = episodes_of(events, stage_after)
        first = events[0]
        # [18, 21]
        self.is_inquiry = first["data"]["action"] == "OPENED" and not first["data"]["agent"]
        openings = [episode.start for episode in self.episodes if episode.start["data"]["action"] == "OPENED"]
        self.opened = openings[0] if openings else None
        self.topics = set()
        if self.opened:
            topic = self.opened["attributes"].get("topic")
            self.topics = {topic} if topic else set(topics.get(self.opened["event_id"], ()))


def ticket_items(tickets, config, at):
    """All contributions of one customer's tickets, given everything known at `at`."""
    items = []
    for ticket in tickets:
        if not ticket.episodes:
            continue
        _first_response(ticket, config, at, items)
        _next_response(ticket, config, items)
        _resolution(ticket, config, at, items)
        _handoffs(ticket, at, items)
        _fcr(ticket, tickets, at, items)
        _recurring(ticket, tickets, items)
    return items


def _first_response(ticket, config, at, items):
    episode = ticket.episodes[0]
    opened_at = episode.opened_at
    if episode.start["data"]["action"] == "OPENED" and not episode.start["data"]["agent"]:  # [21, 23]
        reply = next((e for e in episode.events if e["data"]["action"] == "AGENT_REPLIED"), None)
        if reply:
            dimensions = episode.dimensions_by(reply)
            replied_at = reply["occurred_at"]
            items.append(Item("first_response_time", replied_at, dimensions, team_ms(episode, config, opened_at, replied_at)))
            items.append(Item("first_response_calendar", replied_at, dimensions, replied_at - opened_at))
    if not ticket.is_inquiry:
        return
    answer = next((e for e in episode.events if e["data"]["action"] in ("AGENT_REPLIED", "RESOLVED")), None)  # [18]
    closed_at = episode.ended_at if episode.end_action == "CLOSED" else None
    for kpi, deadline in (("response_24h", opened_at + DAY),
                          ("sla_first_response",
                           team_deadline(episode, config, opened_at, config.first_response_ms, at))):
        if answer and (deadline is None or answer["occurred_at"] <= deadline):
            items.append(Item(kpi, answer["occurred_at"], episode.dimensions_by(answer), 1))
        elif deadline is not None and deadline <= at and (closed_at is None or closed_at > deadline or answer):
            items.append(Item(kpi, deadline, episode.dimensions(episode.team_at(deadline)), 0))


def _next_response(ticket, config, items):
    """[24] From the oldest unanswered message to the reply; a burst counts once."""
    for index, episode in enumerate(ticket.episodes):
        awaiting = None
        first_response_open = index == 0 and episode.start["data"]["action"] == "OPENED" and not episode.start["data"]["agent"]
        for event in episode.events:
            action = event["data"]["action"]
            reopening = action == "REOPENED" or (action == "OPENED" and index > 0)
            if action == "AGENT_REPLIED":
                if awaiting is not None:
                    items.append(Item("next_response_time", event["occurred_at"], episode.dimensions_by(event),
                                      team_ms(episode, config, awaiting, event["occurred_at"])))
                awaiting, first_response_open = None, False
            elif action == "CUSTOMER_REPLIED" or (reopening and not event["data"]["agent"]):
                if awaiting is None and not first_response_open:
                    awaiting = event["occurred_at"]


def _resolution(ticket, config, at, items):
    for index, episode in enumerate(ticket.episodes):
        items.append(Item("backlog_inflow", episode.opened_at, episode.dimensions(episode.start["data"]["team"]), 1))
        deadline = episode.opened_at + config.resolution_ms  # [28]
        if episode.ended_at is not None:
            end = episode.events[-1]
            dimensions = episode.dimensions_by(end)
            items.append(Item("backlog_outflow", episode.ended_at, dimensions, 1))
            if episode.end_action == "RESOLVED":
                items.append(Item("resolution_time", episode.ended_at, dimensions, episode.ended_at - episode.opened_at))
                items.append(Item("handoffs_per_ticket", episode.ended_at, dimensions, len(episode.handoffs)))
                limit = episode.ended_at + 7 * DAY
                reopened = index + 1 < len(ticket.episodes) and ticket.episodes[index + 1].opened_at <= limit
                items.append(Item("reopen_rate", episode.ended_at, dimensions, int(reopened), reopened or at > limit))
                if episode.ended_at <= deadline:
                    items.append(Item("sla_resolution", episode.ended_at, dimensions, 1))
        if deadline <= at and episode.open_at(deadline) and not (episode.end_action == "RESOLVED" and episode.ended_at <= deadline):
            items.append(Item("sla_resolution", deadline, episode.dimensions(episode.team_at(deadline)), 0))
    if ticket.opened is None:
        return
    opened_at = ticket.opened["occurred_at"]
    first = next(number for number, episode in enumerate(ticket.episodes) if episode.start is ticket.opened)
    resolved = [episode for episode in ticket.episodes[first:] if episode.end_action == "RESOLVED"]
    if resolved:  # [25]
        end = resolved[-1].events[-1]
        items.append(Item("full_resolution_time", end["occurred_at"], resolved[-1].dimensions_by(end), end["occurred_at"] - opened_at))
    # [26]
    deadline = opened_at + 72 * HOUR
    if resolved and resolved[0].ended_at <= deadline:
        first_resolved = resolved[0]
        items.append(Item("resolved_72h", first_resolved.ended_at, first_resolved.dimensions_by(first_resolved.events[-1]), 1))
    elif deadline <= at:
        open_then = next((episode for episode in ticket.episodes if episode.open_at(deadline)), None)
        if open_then:
            items.append(Item("resolved_72h", deadline, open_then.dimensions(open_then.team_at(deadline)), 0))


def _handoffs(ticket, at, items):
    for episode in ticket.episodes:
        for handoff in episode.handoffs:
            dimensions = episode.dimensions(handoff.team)
            limit = handoff.at + 48 * HOUR
            if handoff.ended_at is not None:
                items.append(Item("handoff_wait", handoff.ended_at, dimensions, handoff.ended_at - handoff.at))
            if handoff.ended_at is not None and handoff.ended_at <= limit:
                items.append(Item("handoff_over_48h", handoff.ended_at, dimensions, 0))
            elif limit <= at and episode.open_at(limit):
                items.append(Item("handoff_over_48h", limit, dimensions, 1))


def _fcr(ticket, tickets, at, items):
    """[29] Once per ticket, at its first RESOLVED."""
    resolved = next((episode for episode in ticket.episodes if episode.end_action == "RESOLVED"), None)
    if not resolved:
        return
    before = ticket.episodes[:ticket.episodes.index(resolved) + 1]
    contacts = sum(1 for episode in before for event in episode.events
                   if event["data"]["action"] == "CUSTOMER_REPLIED"
                   or (event["data"]["action"] == "OPENED" and not event["data"]["agent"]))
    limit = resolved.ended_at + 7 * DAY
    spoiled = contacts > 1 or any(episode.handoffs for episode in before)
    spoiled = spoiled or any(episode.opened_at <= limit for episode in ticket.episodes[len(before):])
    spoiled = spoiled or any(other is not ticket and other.opened and other.topics & ticket.topics and
                             resolved.ended_at <= other.opened["occurred_at"] <= limit for other in tickets)
    items.append(Item("fcr", resolved.ended_at, resolved.dimensions_by(resolved.events[-1]), int(not spoiled), spoiled or at > limit))


def _recurring(ticket, tickets, items):
    """[30] At OPENED: another ticket of the same topic in the 30 days before."""
    if ticket.opened is None:
        return
    key = lambda event: (event["occurred_at"], event["event_id"].bytes)
    again = any(other is not ticket and other.opened and other.topics & ticket.topics and
                key(other.opened) < key(ticket.opened) and
                ticket.opened["occurred_at"] - other.opened["occurred_at"] <= 30 * DAY for other in tickets)
    episode = next(episode for episode in ticket.episodes if episode.start is ticket.opened)
    items.append(Item("recurring", ticket.opened["occurred_at"], episode.dimensions(ticket.opened["data"]["team"]), int(again)))


def backlog_dimensions(tickets, at):
    """[31] The dimensions of every episode open at `at`, its age band among them."""
    for ticket in tickets:
        for episode in ticket.episodes:
            if episode.open_at(at):
                age = at - episode.opened_at
                band = "0-1d" if age < DAY else "1-3d" if age < 3 * DAY else "3-7d" if age < 7 * DAY else "7d+"
                yield episode.dimensions(episode.team_at(at)) + single("age", band)
