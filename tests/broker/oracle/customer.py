"""One customer's life, read from the sorted events: stages, orders, subscriptions, and what follows from them."""

from collections import defaultdict

from .events import in_order
from .items import Item
from .rollups import of_event, single, standard
from .tickets import Ticket, ticket_items
from .windows import DAY, local_day

NOT_ACTIVITY = {"CaseActed", "CustomerForgotten"}  # [36]
SCORES = {"NPS": "nps", "BRAND": "brand_nps"}


def lives(events):
    """[43] A CustomerForgotten ends a life, and who comes back afterwards is somebody new."""
    answer = [[]]
    for event in in_order(events):
        answer[-1].append(event)
        if event["type"] == "CustomerForgotten":
            answer.append([])
    return [events for events in answer if events]


class Customer:
    """One life of a customer. Once it is over, time brings nothing more: what had been counted stays."""

    def __init__(self, events, config, topics):
        self.config = config
        self.events = in_order(events)
        last = self.events[-1]
        self.forgotten_at = last["occurred_at"] if last["type"] == "CustomerForgotten" else None
        self.activity = [event for event in self.events if event["type"] not in NOT_ACTIVITY]
        segments = [event["segment"] for event in self.events if event["segment"]]
        self.segment = segments[-1] if segments else None  # [14]
        self.stage_after, self.stage_moves = {}, []
        self._walk_stages()
        by_ticket = defaultdict(list)
        for event in self.of("TicketChanged"):
            by_ticket[event["data"]["ticket_id"]].append(event)
        self.tickets = [Ticket(events, self.stage_after, topics) for events in by_ticket.values()]

    def of(self, kind):
        return [event for event in self.events if event["type"] == kind]

    def rollups(self, event):
        return of_event(event, self.stage_after[event["event_id"]])

    # --- stages [35]

    def _walk_stages(self):
        open_tickets, order_days, used = set(), set(), False
        stage, since = None, None
        for event in self.events:
            data = event["data"]
            if event["type"] == "TicketChanged":
                if data["action"] in ("OPENED", "REOPENED"):
                    open_tickets.add(data["ticket_id"])
                elif data["action"] in ("RESOLVED", "CLOSED"):
                    open_tickets.discard(data["ticket_id"])
            elif event["type"] == "OrderPlaced":
                order_days.add(local_day(self.config.zone, event["occurred_at"]))
            elif event["type"] == "ProductUsed":
                used = True
            now = "SUPPORT" if open_tickets else "LOYALTY" if len(order_days) > 1 else "UTILIZATION" if used else "ONBOARDING"
            self.stage_after[event["event_id"]] = now
            if event["type"] in NOT_ACTIVITY:
                continue
            if stage is None:
                stage, since = now, event["occurred_at"]
            elif now != stage:
                self.stage_moves.append((event["occurred_at"], stage, now, event["occurred_at"] - since))
                stage, since = now, event["occurred_at"]
        self.stage = stage

    # --- alive [38, 52, 53]

    def alive_spans(self):
        """[from, to) in which the customer is alive; to is None while it lasts."""
        spans, subscriptions, subscribed = [], {}, False
        start = until = None  # the span being lived; until: when silence will end it
        for event in self.activity:
            at = event["occurred_at"]
            if start is not None and until is not None and at >= until:
                spans.append((start, until))
                start = None
            if event["type"] == "SubscriptionChanged":
                subscribed = True
                subscriptions[event["data"]["subscription_id"]] = event["data"]["action"] in ("STARTED", "RENEWED")
            if not subscribed:
                start = at if start is None else start
                until = at + 90 * DAY
            elif any(subscriptions.values()):
                start, until = at if start is None else start, None
            elif start is not None:
                spans.append((start, at))
                start = None
        if start is not None:
            spans.append((start, until))
        return [span for span in spans if span[1] is None or span[1] > span[0]]

    def alive_at(self, at):
        return any(start <= at and (end is None or at < end) for start, end in self.alive_spans())

    # --- surveys [16, 17]

    def standing_answers(self):
        latest = {}
        for event in self.of("SurveyAnswered"):
            latest[event["data"]["kind"], event["data"]["survey_id"]] = event
        return list(latest.values())

    def survey_items(self, at):
        items = []
        for event in self.standing_answers():
            kind, score, when, rollups = event["data"]["kind"], event["data"]["score"], event["occurred_at"], self.rollups(event)
            if kind in SCORES:
                items.append(Item(SCORES[kind], when, rollups, 1 if score >= 9 else -1 if score <= 6 else 0))
            elif kind == "CSAT":
                items.append(Item("csat", when, rollups, score))
                items.append(Item("csat_top2", when, rollups, int(score >= 4)))
            elif kind == "CES":
                items.append(Item("ces", when, rollups, score))
                items.append(Item("ces_easy", when, rollups, int(score >= 5)))
        for event in self.of("ReviewPosted"):
            when, stars, rollups = event["occurred_at"], event["data"]["stars"], self.rollups(event)
            items.append(Item("review_stars", when, rollups, stars))
            items.append(Item("review_low", when, rollups, int(stars <= 2)))
            items.append(Item("review_count", when, rollups, 1))
        sent = {}
        for event in self.of("SurveySent"):
            sent.setdefault((event["data"]["kind"], event["data"]["survey_id"]), event)
        for (kind, survey), event in sent.items():
            limit = event["occurred_at"] + 14 * DAY
            hit = any(answer["data"]["kind"] == kind and answer["data"]["survey_id"] == survey and
                      event["occurred_at"] <= answer["occurred_at"] <= limit for answer in self.of("SurveyAnswered"))
            items.append(Item("survey_completion", event["occurred_at"], self.rollups(event), int(hit), hit or at > limit))
        return items

    def sentiment_items(self, sentiments):
        """[19, 42] Each non-empty text once, with the product's own label."""
        standing = {event["event_id"] for event in self.standing_answers()}
        items = []
        for event in self.events:
            if event["type"] == "SurveyAnswered" and event["event_id"] not in standing:
                continue
            text = event["data"].get("comment") or event["data"].get("text")
            if text and event["event_id"] in sentiments:
                label, score = sentiments[event["event_id"]]
                items.append(Item("sentiment", event["occurred_at"], self.rollups(event), score))
                items.append(Item("negative_share", event["occurred_at"], self.rollups(event), int(label == "NEGATIVE")))
        return items

    # --- orders [33, 34, 41]

    def first_and_second_order(self):
        orders = self.of("OrderPlaced")
        if not orders:
            return None, None
        day = lambda event: local_day(self.config.zone, event["occurred_at"])
        return orders[0], next((order for order in orders if day(order) > day(orders[0])), None)

    def order_items(self, at):
        items = []
        deliveries = {}
        for event in self.of("OrderDelivered"):
            deliveries.setdefault(event["data"]["order_id"], event)
        returned = {event["data"]["order_id"] for event in self.of("ProductReturned")}
        for order, event in deliveries.items():
            when, rollups, promised = event["occurred_at"], self.rollups(event), event["data"]["promised_at"]
            if promised is not None:
                items.append(Item("on_time_delivery", when, rollups, int(when <= promised)))
            items.append(Item("return_rate", when, rollups, int(order in returned)))
        first, second = self.first_and_second_order()
        if first:
            placed_at, rollups = first["occurred_at"], self.rollups(first)
            landmark = placed_at + 14 * DAY
            if landmark <= at:
                used = any(placed_at <= event["occurred_at"] <= landmark for event in self.of("ProductUsed"))
                items.append(Item("activation", landmark, rollups, int(used)))
            for kpi, span in (("repeat_purchase_180d", 180 * DAY), ("repeat_purchase_365d", 365 * DAY)):
                if placed_at + span <= at:
                    items.append(Item(kpi, placed_at + span, rollups, int(bool(second) and second["occurred_at"] <= placed_at + span)))
            outcome_at = placed_at + 180 * DAY
            if outcome_at <= at and not (second and second["occurred_at"] <= landmark):
                exposed = any(event["data"]["kind"] == "ONBOARDING" and event["data"]["action"] == "OPENED" and
                              event["occurred_at"] <= landmark for event in self.of("MessageEngaged"))
                items.append(Item("uplift_onboarding", outcome_at, ["all"], (exposed, bool(second) and second["occurred_at"] <= outcome_at)))
        for event in self.of("OrderPlaced"):
            if event["data"]["offer"]:
                items.append(Item("upsell_revenue", event["occurred_at"], single("currency", event["data"]["currency"]), event["data"]["amount_minor"]))
        return items

    # --- the rest

    def other_items(self, at):
        items = []
        for event in self.of("ProductUsed"):
            items.append(Item("usage_minutes", event["occurred_at"], self.rollups(event), event["data"]["seconds"]))
        for when, left, entered, dwell in self.stage_moves:
            items.append(Item("stage_dwell", when, ["all", "stage=" + left], dwell))
            items.append(Item("stage_moves", when, ["all", "from=%s,to=%s" % (left, entered)], 1))
        # [37]
        changes = self.of("SubscriptionChanged")
        for index, event in enumerate(changes):
            due = event["data"]["term_ends_at"]
            if event["data"]["action"] in ("STARTED", "RENEWED") and due is not None and due <= at:
                renewed = any(later["data"]["action"] == "RENEWED" and later["occurred_at"] <= due + 30 * DAY and
                              later["data"]["subscription_id"] == event["data"]["subscription_id"] for later in changes[index + 1:])
                items.append(Item("renewal_rate", due, self.rollups(event), int(renewed), at > due + 30 * DAY))
        # [40]
        units = defaultdict(list)
        for event in self.of("MessageEngaged"):
            units[event["data"]["campaign"], event["data"]["kind"]].append(event)
        for (campaign, kind), events in units.items():
            delivered = next((index for index, event in enumerate(events) if event["data"]["action"] == "DELIVERED"), None)
            if delivered is None:
                continue
            first = events[delivered]
            dimensions = ["all"] + single("channel", first["channel"]) + single("campaign", campaign) + single("kind", kind)
            for kpi, action in (("engagement_open", "OPENED"), ("engagement_click", "CLICKED")):
                hit = any(event["data"]["action"] == action and event["occurred_at"] >= first["occurred_at"] for event in events)
                items.append(Item(kpi, first["occurred_at"], dimensions, int(hit)))
        # [32]
        visits = [event for event in self.of("ServiceVisited") if event["data"]["kind"] == "REPAIR"]
        for index, event in enumerate(visits):
            ticket, limit = event["data"]["ticket_id"], event["occurred_at"] + 30 * DAY
            spoiled = any(ticket and later["data"]["ticket_id"] == ticket and later["occurred_at"] <= limit and
                          later["data"]["visit_id"] != event["data"]["visit_id"] for later in visits[index + 1:])
            fixed = event["data"]["fixed"] and not spoiled
            items.append(Item("first_time_fix", event["occurred_at"], self.rollups(event), int(fixed), not fixed or not ticket or at > limit))
        # [41]
        about_ticket = [event for event in self.standing_answers() if event["data"]["kind"] == "CSAT" and
                        event["data"]["about"] in {ticket.events[0]["data"]["ticket_id"] for ticket in self.tickets}]
        if about_ticket:
            first = in_order(about_ticket)[0]
            outcome_at = first["occurred_at"] + 90 * DAY
            if outcome_at <= at:
                items.append(Item("uplift_excellent_support", outcome_at, ["all"], (first["data"]["score"] == 5, self.alive_at(outcome_at))))
        return items

    def items(self, at, sentiments):
        at = at if self.forgotten_at is None else min(at, self.forgotten_at)
        return (self.survey_items(at) + self.sentiment_items(sentiments) + self.order_items(at) +
                self.other_items(at) + ticket_items(self.tickets, self.config, at))

    # --- what people KPIs ask of a customer

    def is_member(self):
        moves = [event["data"]["action"] for event in self.of("LoyaltyChanged") if event["data"]["action"] in ("JOINED", "LEFT")]
        return bool(moves) and moves[-1] == "JOINED"

    def people_dimensions(self):
        return ["all"] + single("segment", self.segment)

    def converted_referrals(self):
        """[39] Once per person, at the first converted one; oneself does not count."""
        first = {}
        for event in self.of("ReferralMade"):
            if event["data"]["converted"] and event["data"]["referred_customer_id"] != self.events[0]["customer_id"]:
                first.setdefault(event["data"]["referred_customer_id"], event["occurred_at"])
        return list(first.values())
