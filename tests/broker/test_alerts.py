"""Alerts of generated traffic, held to what tickets promised according to the oracle, and to the rules that every alert keeps."""

import collections
import json
import uuid

from installation import eventually
from oracle import Config, customers_of, event_from_avro
from oracle.events import as_ms
from oracle.tickets import team_deadline
from oracle.windows import HOUR

DISORDER_MS = 5000  # engine.allowed_disorder: so far the clock stays behind the events
OVER = {"RESOLVED", "VERIFIED", "EXPIRED"}


def broken_promises(events, at):
    """{(rule, ticket, deadline): when the promise was kept after all, or None} of every promise broken by `at`."""
    config, broken = Config(), {}
    for customer in customers_of([event for event in events if event["occurred_at"] <= at], config):
        known_until = at if customer.forgotten_at is None else customer.forgotten_at
        for ticket in customer.tickets:
            name = ticket.events[0]["data"]["ticket_id"]
            for episode in ticket.episodes:
                deadline = episode.opened_at + config.resolution_ms  # [28]
                if deadline <= known_until and episode.open_at(deadline):
                    broken["sla.resolution.breach", name, deadline] = episode.ended_at
            if not ticket.is_inquiry or not ticket.episodes:
                continue
            episode = ticket.episodes[0]
            deadline = team_deadline(episode, config, episode.opened_at, config.first_response_ms, known_until)  # [18, 23]
            answers = [event["occurred_at"] for event in episode.events if event["data"]["action"] in ("AGENT_REPLIED", "RESOLVED", "CLOSED")]
            answered_at = min(answers, default=None)
            if deadline is not None and (answered_at is None or answered_at > deadline):
                broken["sla.first_response.breach", name, deadline] = answered_at
    return broken


def test_alerts_are_those_of_the_promises_and_keep_the_rules(installation):
    installation.keep_the_past()
    installation.start("journey")
    installation.start("sink")
    installation.succeed("generate", "--events", 12000, "--customers", 400, "--seed", 3, "--span", "100d", "--disorder", "0s", "--duplicates", "0")
    events = [event_from_avro(record) for record in installation.records("touchpoints")]
    enriched = lambda: len(installation.records("touchpoints.enriched"))
    assert eventually(lambda: enriched() == len(events), 90, 1), installation.logs()
    newest = max(event["occurred_at"] for event in events)
    broken = broken_promises(events, newest - HOUR)  # of the last hour only the ticks know
    must = {key for key, kept_at in broken.items() if kept_at is None or kept_at > key[2] + DISORDER_MS}
    assert len(must) > 100

    def told():
        return {(alert["rule"], alert["ticket_id"], as_ms(alert["opened_at"])) for alert in installation.records("alerts")
                if alert["kind"] == "SLA_BREACH" and alert["revision"] == 1}

    assert eventually(lambda: must <= told(), 90, 1), "not told: %s\n%s" % (sorted(must - told())[:5], installation.logs())
    extra = {key for key in told() - broken.keys() if key[2] <= newest - HOUR}
    assert not extra, "told without a reason: %s" % sorted(extra)[:5]

    alerts = installation.records("alerts")
    of_event = {event["event_id"]: event for event in events}
    revisions = collections.defaultdict(list)
    for alert in alerts:
        revisions[alert["alert_id"]].append(alert)
        for reason in alert["reasons"]:
            if reason["event_id"] is not None and alert["customer_id"] is not None:
                assert of_event[uuid.UUID(bytes=bytes(reason["event_id"]))]["customer_id"] == alert["customer_id"], alert
        if alert["rule"] == "case" and alert["state"] != "EXPIRED":
            points = sum(reason["points"] for reason in alert["reasons"])
            assert 0 <= alert["score"] <= 100 and (abs(alert["score"] - min(100, points)) < 1e-6 or alert["score"] == 70), alert
    for id, told_of_it in revisions.items():
        assert [alert["revision"] for alert in told_of_it] == list(range(1, len(told_of_it) + 1)), told_of_it
        assert told_of_it[0]["state"] == "OPEN" and len({as_ms(alert["opened_at"]) for alert in told_of_it}) <= 2, told_of_it
        times = [as_ms(alert["changed_at"]) for alert in told_of_it]
        assert times == sorted(times), told_of_it

    # What the desk sees is the live cases, by score.
    live = lambda: {alert["case_id"]: alert["score"] for _, alert in installation.latest_alerts().items()
                    if alert["rule"] == "case" and alert["state"] not in OVER}
    hot = lambda: dict(installation.redis.zrange(installation.redis_prefix + "hot", 0, -1, withscores=True))
    assert eventually(lambda: hot() == live(), 60, 1), (len(hot()), len(live()), installation.logs())
    for id in live():
        case = installation.redis.hgetall(installation.redis_prefix + "case:" + id)
        assert case["customer"] and json.loads(case["reasons"]) and case["state"] == "open", case
