"""The judge judged: the oracle on cases small enough to work out by hand."""

import itertools
import uuid

import pytest

from oracle import Config, compute
from oracle.numbers import nps_interval, student_t, t_interval, wilson
from oracle.windows import DAY, HOUR, MINUTE, window_bounds

T0 = 1_750_000_000_000 // DAY * DAY  # a midnight
AT = T0 + 80 * DAY + 12 * HOUR


class Story:
    """A set of events told line by line; `at` in ms after T0."""

    def __init__(self):
        self.events = []
        self.ids = itertools.count(1)

    def tell(self, type, at, customer="c1", channel="EMAIL", product=None, segment=None, attributes=None, **data):
        self.events.append(dict(
            event_id=uuid.UUID(int=next(self.ids)), customer_id=customer, occurred_at=T0 + at, received_at=T0 + at, source="test",
            channel=channel, product=product, segment=segment, region=None, attributes=attributes or {}, type=type, data=data))
        return self

    def ticket(self, action, at, id="t1", team=None, agent=None, customer="c1", **rest):
        return self.tell("TicketChanged", at, customer, ticket_id=id, action=action, team=team, agent=agent, priority=None, text=None, **rest)

    def answer(self, kind, score, at, survey="s1", customer="c1", about=None, **rest):
        return self.tell("SurveyAnswered", at, customer, survey_id=survey, kind=kind, score=score, comment=None, about=about, **rest)

    def order(self, at, id="o1", customer="c1", offer=None, **rest):
        return self.tell("OrderPlaced", at, customer, order_id=id, amount_minor=1000, currency="EUR", offer=offer, **rest)

    def ask(self, kpi, window="90d", dimension="all", at=AT, **config):
        return compute(self.events, at, Config(**config)).get((kpi, dimension, window), dict(value=None, n=0))

    def says(self, kpi, value, n=None, **how):
        found = self.ask(kpi, **how)
        assert found["value"] == pytest.approx(value) if value is not None else found["value"] is None, found
        assert n is None or found["n"] == n, found
        return self


def test_intervals_match_published_tables():
    assert student_t(10) == pytest.approx(2.228138852, abs=1e-8)
    assert wilson(0, 10) == pytest.approx((0, 0.2775327), abs=1e-6)
    assert t_interval([1, 2, 3]) == pytest.approx((2 - 4.302652730 / 3 ** 0.5, 2 + 4.302652730 / 3 ** 0.5))
    assert t_interval([5]) == (None, None)
    assert t_interval([5, 5]) == (5, 5)
    assert nps_interval(100, 0, 100)[1] == 100.0


def test_windows_end_with_the_bucket_that_contains_at():
    at = T0 + 10 * HOUR + 17 * MINUTE + 5
    assert window_bounds("5m", at)[1] == T0 + 10 * HOUR + 13 * MINUTE
    assert window_bounds("7d", at)[1] == T0 + 11 * HOUR - 7 * DAY
    assert window_bounds("90d", at)[:2] == (T0 + DAY - 180 * DAY, T0 + DAY - 90 * DAY)


def test_nps_takes_the_latest_answer_of_a_wave():
    story = Story().answer("NPS", 10, 0).answer("NPS", 3, HOUR).answer("NPS", 9, 0, customer="c2")
    story.answer("NPS", 10, 0, survey="s2").says("nps", 100 / 3, 3)


def test_the_same_event_twice_counts_once():
    story = Story().answer("CSAT", 4, 0)
    story.events.append(dict(story.events[0]))
    story.says("csat", 4, 1).says("csat_top2", 1, 1)


def test_previous_is_the_window_before():
    story = Story().answer("CSAT", 2, 80 * DAY - 7 * DAY).answer("CSAT", 5, 80 * DAY, survey="s2")
    assert story.ask("csat", "7d")["previous"] == 2
    assert story.ask("csat", "24h")["previous"] is None


def test_rollups():
    story = Story().answer("CSAT", 4, 0, product="A,B", channel="WEB")
    story.says("csat", 4, dimension="product=A%2CB").says("csat", 4, dimension="product=A%2CB,channel=WEB")
    story.says("csat", 4, dimension="stage=ONBOARDING").says("csat", None, dimension="segment=")


def test_survey_completion_and_its_maturity():
    story = Story()
    for survey, at in (("s1", 0), ("s2", 0), ("s3", 79 * DAY), ("s4", 79 * DAY)):
        story.tell("SurveySent", at, survey_id=survey, kind="CES", about=None)
    story.answer("CES", 7, 14 * DAY, "s1").answer("CES", 7, 14 * DAY + 1, "s2").answer("CES", 7, 80 * DAY, "s3").answer("CES", 1, 0, "s5")
    story.says("survey_completion", 0.5, 4)
    assert story.ask("survey_completion")["maturity"] == 0.75
    assert story.ask("survey_completion", "30d")["maturity"] == 0.5


def test_reviews():
    story = Story().tell("ReviewPosted", 0, stars=2, text="").tell("ReviewPosted", 0, stars=5, text="x")
    story.says("review_stars", 3.5, 2).says("review_low", 0.5, 2).says("review_count", 2, 2)


def test_delivery_on_the_promised_instant_is_on_time():
    story = Story()
    for order, late in (("o1", 0), ("o2", 1)):
        story.tell("OrderDelivered", HOUR + late, order_id=order, promised_at=T0 + HOUR)
    story.tell("OrderDelivered", HOUR, order_id="o3", promised_at=None).tell("ProductReturned", 9 * DAY, order_id="o1", reason="")
    story.says("on_time_delivery", 0.5, 2).says("return_rate", 1 / 3, 3)


def test_repeat_purchase_counts_when_the_cohort_is_old_enough():
    story = Story().order(0).order(HOUR, "o2").order(180 * DAY, "o3", product="P").order(0, "o4", "c2").order(180 * DAY + 1, "o5", "c2")
    story.says("repeat_purchase_180d", None, at=T0 + 180 * DAY - 1)
    story.says("repeat_purchase_180d", 0.5, 2, at=T0 + 181 * DAY, window="7d")
    story.says("repeat_purchase_365d", 1.0, 2, at=T0 + 365 * DAY, window="24h")


def test_a_ticket_and_its_clocks():
    story = Story().ticket("OPENED", 0, team="a").ticket("PENDING", HOUR).ticket("CUSTOMER_REPLIED", 3 * HOUR)
    story.ticket("AGENT_REPLIED", 3 * HOUR + MINUTE, team="b").ticket("RESOLVED", 5 * HOUR)
    story.says("first_response_time", HOUR + MINUTE, 1, dimension="team=b").says("first_response_calendar", 3 * HOUR + MINUTE)
    story.says("resolution_time", 5 * HOUR, dimension="team=a").says("sla_first_response", 1).says("response_24h", 1)
    story.says("next_response_time", None).says("backlog_inflow", 1, 1, dimension="team=a").says("backlog", None, 0)


def test_an_inquiry_unanswered_is_a_miss_at_its_deadline():
    story = Story().ticket("OPENED", 0, team="a").ticket("CLOSED", 25 * HOUR)
    story.says("sla_first_response", None, at=T0 + 2 * HOUR - 1).says("sla_first_response", 0, at=T0 + 3 * HOUR)
    story.says("response_24h", 0).says("resolved_72h", None).says("sla_resolution", None).says("resolution_time", None)


def test_business_hours_and_the_hour_that_daylight_saving_takes():
    week = {day: [(9 * 60, 17 * 60)] for day in range(5)}
    calendar = dict(zone="Europe/Berlin", week=week, holidays={"2025-06-20"})
    story = Story().ticket("OPENED", 0)  # T0 is Sunday 2025-06-15, 02:00 in Berlin
    story.ticket("AGENT_REPLIED", DAY + 8 * HOUR)  # Monday 10:00
    story.says("first_response_time", HOUR, calendar=calendar)
    spring = 1_743_206_400_000 - T0  # Saturday 2025-03-29 00:00 UTC
    night = dict(zone="Europe/Berlin", week={day: [(0, 24 * 60)] for day in range(7)})
    story = Story().ticket("OPENED", spring).ticket("AGENT_REPLIED", spring + 2 * DAY)
    story.says("first_response_time", 2 * DAY, calendar=night, at=T0 + spring + 2 * DAY)


def test_messages_wait_for_their_reply_in_bursts():
    story = Story().ticket("OPENED", 0).ticket("CUSTOMER_REPLIED", 1).ticket("AGENT_REPLIED", 10)
    story.ticket("CUSTOMER_REPLIED", 20).ticket("CUSTOMER_REPLIED", 30).ticket("AGENT_REPLIED", 50).ticket("RESOLVED", 60)
    story.ticket("REOPENED", 100).ticket("AGENT_REPLIED", 107).ticket("CUSTOMER_REPLIED", 110).ticket("RESOLVED", 120)
    story.says("next_response_time", (30 + 7) / 2, 2).says("full_resolution_time", 120, 1).says("resolution_time", 40, 2)
    story.says("reopen_rate", 0.5, 2).says("fcr", 0, 1)


def test_handoffs():
    story = Story().ticket("OPENED", 0, team="a").ticket("HANDED_OFF", 10, team="a").ticket("HANDED_OFF", 20, team="b")
    story.ticket("AGENT_REPLIED", 25, team="a").ticket("ASSIGNED", 30, team="b").ticket("HANDED_OFF", 40, team="c")
    story.ticket("HANDED_OFF", 45, team="d").ticket("RESOLVED", 50 * HOUR)
    story.says("handoff_wait", (10 + 5 + 50 * HOUR - 45) / 3, 3).says("handoff_wait", 5, dimension="team=c")
    story.says("handoff_over_48h", 1 / 3, 3).says("handoffs_per_ticket", 3, 1).says("sla_resolution", 0, 1)


def test_first_contact_resolution_and_recurrence():
    story = Story().ticket("OPENED", 0, attributes={"topic": "x"}).ticket("RESOLVED", HOUR)
    story.ticket("OPENED", HOUR + 7 * DAY, "t2", attributes={"topic": "x"}).ticket("RESOLVED", 2 * HOUR + 7 * DAY, "t2")
    story.ticket("OPENED", 20 * DAY, "t3")
    story.says("fcr", 0.5, 2).says("recurring", 1 / 3, 3)
    assert story.ask("fcr", at=T0 + 8 * DAY)["maturity"] == 0.5


def test_backlog_follows_the_team_in_charge():
    story = Story().ticket("OPENED", 0, team="a").ticket("ASSIGNED", HOUR, team="b").ticket("OPENED", DAY, "t2").ticket("CLOSED", 2 * DAY, "t2")
    story.says("backlog", 1, dimension="team=b").says("backlog", 2, at=T0 + DAY).says("backlog", None, dimension="team=a")


def test_stages_and_the_time_in_them():
    story = Story().order(0).tell("ProductUsed", HOUR, feature="f", seconds=90).ticket("OPENED", 2 * HOUR).ticket("RESOLVED", 3 * HOUR).order(DAY, "o2")
    story.says("stage_customers", 1, dimension="stage=LOYALTY").says("stage_moves", 4).says("stage_dwell", HOUR, dimension="stage=SUPPORT")
    story.says("usage_minutes", 1.5, 1).says("activation", 1, 1)


def test_alive_churned_and_back():
    story = Story().order(0).order(0, customer="c2").tell("ProductUsed", 90 * DAY - 1, "c2", feature="f", seconds=1)
    story.says("churn_rate", 0, 2, at=T0 + 90 * DAY - 1, window="7d").says("churn_rate", 0.5, 2, at=T0 + 90 * DAY, window="7d")
    story.says("retention", 0.5, at=T0 + 91 * DAY, window="7d").says("churn_rate", 0, 1, at=T0 + 99 * DAY, window="7d")


def test_subscriptions_decide_who_is_alive():
    story = Story().tell("SubscriptionChanged", 0, subscription_id="s", action="STARTED", term_ends_at=T0 + 30 * DAY)
    story.says("churn_rate", 0, 1, at=T0 + 300 * DAY, window="7d").says("renewal_rate", 0, 1, at=T0 + 31 * DAY, window="7d")
    story.tell("SubscriptionChanged", 40 * DAY, subscription_id="s", action="RENEWED", term_ends_at=None)
    story.says("renewal_rate", 1, 1, at=T0 + 41 * DAY, window="30d")
    story.tell("SubscriptionChanged", 50 * DAY, subscription_id="s", action="CANCELLED", term_ends_at=None).says("churn_rate", 1, 1, window="90d")
    Story().tell("SubscriptionChanged", 0, subscription_id="s", action="LAPSED", term_ends_at=None).says("churn_rate", None, 0)


def test_engagement_and_first_time_fix():
    story = Story()
    for action, at in (("OPENED", 0), ("DELIVERED", 1), ("CLICKED", 2), ("DELIVERED", 3)):
        story.tell("MessageEngaged", at, campaign="k", kind="OFFER", action=action)
    story.says("engagement_open", 0, 1).says("engagement_click", 1, 1, dimension="campaign=k")
    for visit, at in (("v1", 0), ("v2", 30 * DAY), ("v3", 61 * DAY)):
        story.tell("ServiceVisited", at, visit_id=visit, ticket_id="t", kind="REPAIR", fixed=True)
    story.says("first_time_fix", 2 / 3, 3)


def test_people():
    story = Story().tell("LoyaltyChanged", 0, action="JOINED", points=0, segment="smb").order(0, customer="c2")
    story.tell("ReferralMade", 79 * DAY, referred_customer_id="x", converted=True).tell("ReferralMade", 79 * DAY, "c2", referred_customer_id="c2", converted=True)
    story.says("loyalty_share", 0.5, 2).says("referral_rate", 0.5, 2).says("active_customers", 2, window="7d").says("active_customers", 1, window="30d", dimension="segment=smb").says("loyalty_share", 1, dimension="segment=smb")


def test_uplift_needs_both_sides():
    story = Story()
    for customer, opened, again in (("a", True, True), ("b", True, False), ("c", False, False), ("d", False, False)):
        story.order(0, customer=customer)
        if opened:
            story.tell("MessageEngaged", DAY, customer, campaign="k", kind="ONBOARDING", action="OPENED")
        if again:
            story.order(100 * DAY, "o2", customer)
    found = story.ask("uplift_onboarding", at=T0 + 181 * DAY)
    assert (found["value"], found["exposed_n"], found["exposed_hits"], found["other_n"], found["ratio"]) == (0.5, 2, 1, 2, None)
    story.says("uplift_onboarding", None, at=T0 + 179 * DAY)


def test_a_forgotten_customer_leaves_the_gauges_and_stays_in_the_totals():
    story = Story().order(0).answer("CSAT", 4, HOUR).ticket("OPENED", HOUR).tell("CustomerForgotten", 3 * HOUR)
    story.says("csat", 4, 1).says("backlog_inflow", 1).says("backlog", None).says("stage_customers", None).says("active_customers", None)
    story.says("churn_rate", None, 0).says("sla_first_response", 0, 1).says("activation", None)  # decided before, and after
    story.order(10 * DAY, "o2").tell("ProductUsed", 11 * DAY, feature="f", seconds=60)  # somebody new
    story.says("stage_customers", 1, dimension="stage=UTILIZATION").says("activation", 1, 1).says("repeat_purchase_180d", 0, 1, at=T0 + 190 * DAY)
    gone = Story().order(0).tell("CustomerForgotten", 95 * DAY)  # churned before, and that stays
    gone.says("churn_rate", 1, 1, at=T0 + 96 * DAY, window="30d")
