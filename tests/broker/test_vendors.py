"""Payloads in the form that vendors document, signed as they sign, through the collector: what a shop's tools tell becomes the touchpoints that KPIs are made of."""

import csv
import datetime
import hashlib
import hmac
import json
import time

import pytest
import requests
from installation import eventually, free_port
from oracle import event_from_avro
from oracle.events import set_of
from test_collector import answers, post

SECRETS = {"stripe": "whsec_of-our-own", "chatwoot": "chat-secret", "intercom": "inter-secret"}
TOKENS = {"surveymonkey": "monkey-token", "hubspot": "hub-token"}
SOURCES = """
ingest:
  listen: 127.0.0.1:%d
  sources:
    - {name: stripe, secret: whsec_of-our-own, signature_header: Stripe-Signature}
    - {name: chatwoot, secret: chat-secret, signature_header: X-Chatwoot-Signature, signed_header: X-Chatwoot-Timestamp, signed_separator: .}
    - {name: intercom, secret: inter-secret, signature_header: X-Hub-Signature, signature_hash: sha1}
    - {name: surveymonkey, token: monkey-token}
    - {name: hubspot, token: hub-token}
"""


@pytest.fixture(scope="module")
def vendors(shared_installation):
    """(installation, URL) of a collector that knows Stripe, Chatwoot and Intercom by their signatures alone, and who fetches from others by tokens"""
    port = free_port()
    config = shared_installation.folder / "vendors.yaml"
    config.write_text(shared_installation.config.read_text() + SOURCES % port)
    before, shared_installation.config = shared_installation.config, config
    shared_installation.start("ingest", name="vendors")
    shared_installation.config = before
    url = "http://127.0.0.1:%d" % port
    assert eventually(lambda: answers(url + "/readyz"), 20), shared_installation.logs()
    return shared_installation, url


def signed(secret, body, hash=hashlib.sha256):
    return hmac.new(secret.encode(), body, hash).hexdigest()


def stripe_headers(body, at=None, secret=SECRETS["stripe"], text=b"%s.%s"):
    stamp = b"%d" % (at or time.time())
    return {"Stripe-Signature": "t=%s,v1=%s,v0=%s" % (stamp.decode(), signed(secret, text % (stamp, body)), "0" * 64)}


def chatwoot_headers(body, at=None):
    stamp = b"%d" % (at or time.time())
    return {"X-Chatwoot-Signature": "sha256=" + signed(SECRETS["chatwoot"], stamp + b"." + body), "X-Chatwoot-Timestamp": stamp.decode()}


def intercom_headers(body):
    return {"X-Hub-Signature": "sha1=" + signed(SECRETS["intercom"], body, hashlib.sha1)}


def token_headers(hook):
    return lambda body: {"Authorization": "Bearer " + TOKENS[hook]}


HEADERS = {"stripe": stripe_headers, "chatwoot": chatwoot_headers, "intercom": intercom_headers, **{hook: token_headers(hook) for hook in TOKENS}}


def send(url, hook, payload, **headers):
    body = json.dumps(payload).encode()
    return post(url, body, path="/v1/hooks/" + hook, token=None, **(headers or HEADERS[hook](body)))


def told(vendors, hook, payloads):
    """What they became, duplicates apart, in event time: (seconds since T, customer, what, data that is there)."""
    installation, url = vendors
    before = {event["event_id"] for event in map(event_from_avro, installation.records("touchpoints"))}
    for payload in payloads:
        answer = send(url, hook, payload)
        assert answer.status_code == 200 and answer.json()["rejected"] == [], (answer.text, payload)
    events = [event for event in map(event_from_avro, installation.records("touchpoints")) if event["event_id"] not in before]
    return [line(event) for event in sorted(set_of(events), key=lambda event: event["occurred_at"])]


def line(event):
    data = {key: value for key, value in event["data"].items() if value is not None}
    if "term_ends_at" in data:
        data["term_ends_at"] = data["term_ends_at"] / 1000 - T
    return ((event["occurred_at"] / 1000 - T), event["customer_id"], event["type"], data)


T = 1_780_000_000
DAY = 86_400


# --- Stripe ---

def event(id, type, object, at=0, before=None):
    return {"object": "event", "id": id, "type": type, "created": T + at, "livemode": True, "data": {"object": object, **({"previous_attributes": before} if before else {})}}


def subscription(id, status="active", ends=30 * DAY, is_old=False, **more):
    item = {"quantity": 2, "price": {"unit_amount": 1500, "product": "prod_gold"}}
    period = {"current_period_start": T + ends - 30 * DAY, "current_period_end": T + ends}
    made = {"object": "subscription", "id": id, "customer": "cus_" + id, "status": status, "currency": "eur", "cancel_at_period_end": False, "cancel_at": None,
            "items": {"data": [item if is_old else {**item, **period}]}}
    return {**made, **(period if is_old else {}), **more}


def invoice(id, ends, reason="subscription_cycle", is_old=False, **more):
    lines = [{"period": {"end": T + ends + DAY}, "proration" if is_old else "parent": True if is_old else {"subscription_item_details": {"proration": True}}},
             {"period": {"end": T + ends}, **({"price": {"product": "prod_gold"}} if is_old else {"pricing": {"price_details": {"product": "prod_gold"}}})}]
    known = {"subscription": id} if is_old else {"parent": {"subscription_details": {"subscription": id}}}
    return {"object": "invoice", "billing_reason": reason, "customer": "cus_" + id, "currency": "eur", "amount_paid": 3000, "lines": {"data": lines}, **known, **more}


def changed(at, id, action, **data):
    return (at, "cus_" + id, "SubscriptionChanged", {"subscription_id": id, "action": action, **data})


@pytest.mark.parametrize("is_old", [True, False], ids=["before 2025-03-31", "since"])
def test_a_subscription_s_life(vendors, is_old):
    id = "sub_life%d" % is_old
    new = subscription(id, is_old=is_old)
    later = subscription(id, ends=60 * DAY, is_old=is_old)
    assert told(vendors, "stripe", [
        event(id + "1", "customer.subscription.created", new),
        event(id + "1", "customer.subscription.created", new),
        event(id + "2", "invoice.paid", invoice(id, 30 * DAY, "subscription_create", is_old), 1),
        event(id + "3", "customer.subscription.updated", later, 30 * DAY, {"current_period_end": T + 30 * DAY}),
        event(id + "4", "invoice.paid", invoice(id, 60 * DAY, is_old=is_old), 30 * DAY + 3600),
        event(id + "5", "invoice.payment_succeeded", invoice(id, 60 * DAY, is_old=is_old), 30 * DAY + 3600),
        event(id + "6", "customer.subscription.updated", {**later, "cancel_at_period_end": True}, 40 * DAY, {"cancel_at_period_end": False}),
        event(id + "7", "customer.subscription.updated", later, 41 * DAY, {"cancel_at_period_end": True}),
        event(id + "8", "customer.subscription.updated", {**later, "cancel_at": T + 55 * DAY}, 42 * DAY, {"cancel_at": None}),
        event(id + "9", "customer.subscription.deleted", {**later, "status": "canceled", "ended_at": T + 55 * DAY}, 55 * DAY),
    ]) == [
        changed(0, id, "STARTED", term_ends_at=30 * DAY, amount_minor=3000, currency="EUR"),
        changed(30 * DAY + 3600, id, "RENEWED", term_ends_at=60 * DAY, amount_minor=3000, currency="EUR"),
        changed(40 * DAY, id, "CANCELLED", term_ends_at=60 * DAY),
        changed(41 * DAY, id, "STARTED"),  # taken back: the term is due once, not twice
        changed(42 * DAY, id, "CANCELLED", term_ends_at=55 * DAY),
        changed(55 * DAY, id, "CANCELLED", term_ends_at=55 * DAY),
    ]


def test_payments_that_fail(vendors):
    id = "sub_poor"
    assert told(vendors, "stripe", [
        event("p1", "customer.subscription.created", subscription(id, "incomplete")),
        event("p2", "customer.subscription.updated", subscription(id), 60, {"status": "incomplete"}),
        event("p3", "invoice.payment_failed", invoice(id, 60 * DAY), 30 * DAY),
        event("p4", "customer.subscription.updated", subscription(id, "past_due", 60 * DAY), 30 * DAY, {"status": "active"}),
        event("p5", "customer.subscription.updated", subscription(id, "active", 60 * DAY), 33 * DAY, {"status": "past_due"}),
        event("p6", "invoice.paid", invoice(id, 60 * DAY), 33 * DAY),
        event("p7", "customer.subscription.updated", subscription(id, "past_due", 90 * DAY), 60 * DAY, {"status": "active"}),
        event("p8", "customer.subscription.updated", subscription(id, "unpaid", 90 * DAY), 70 * DAY, {"status": "past_due"}),
        event("p9", "customer.subscription.deleted", subscription(id, "canceled", 90 * DAY, cancellation_details={"reason": "payment_failed"}), 80 * DAY),
        event("q1", "customer.subscription.created", subscription("sub_never", "incomplete")),
        event("q2", "customer.subscription.updated", subscription("sub_never", "incomplete_expired"), DAY, {"status": "incomplete"}),
    ]) == [
        changed(60, id, "STARTED", term_ends_at=30 * DAY, amount_minor=3000, currency="EUR"),
        changed(30 * DAY, id, "LAPSED"),
        changed(33 * DAY - 2, id, "STARTED"),
        changed(33 * DAY, id, "RENEWED", term_ends_at=60 * DAY, amount_minor=3000, currency="EUR"),
        changed(60 * DAY, id, "LAPSED"),
        changed(80 * DAY, id, "LAPSED"),
    ]


def test_trials_pauses_and_whose_subscription_it_is(vendors):
    ours = {"metadata": {"customer_id": "c-42", "product": "gold"}}
    trial = subscription("sub_try", "trialing", 14 * DAY, trial_end=T + 14 * DAY, **ours)
    lines = invoice("sub_try", 44 * DAY)
    lines["parent"]["subscription_details"].update(ours)
    found = told(vendors, "stripe", [
        event("t1", "customer.subscription.created", trial),
        event("t2", "customer.subscription.updated", {**trial, "status": "active"}, 14 * DAY, {"status": "trialing"}),
        event("t3", "invoice.paid", lines, 14 * DAY + 3600),
        event("t4", "customer.subscription.paused", subscription("sub_try", "paused", 44 * DAY, **ours), 20 * DAY),
        event("t5", "customer.subscription.updated", subscription("sub_try", "paused", 44 * DAY, **ours), 20 * DAY, {"status": "active"}),
        event("t6", "customer.subscription.updated", subscription("sub_try", "active", 44 * DAY, **ours), 21 * DAY, {"status": "paused"}),
        event("t7", "customer.subscription.resumed", subscription("sub_try", "active", 44 * DAY, **ours), 21 * DAY),
        event("t8", "customer.subscription.paused", subscription("sub_try", "paused", 44 * DAY, **ours), 22 * DAY),
        event("t9", "customer.subscription.resumed", subscription("sub_try", "active", 55 * DAY, **ours), 25 * DAY),
    ])
    assert {(customer, data.pop("subscription_id")) for _, customer, _, data in found} == {("c-42", "sub_try")}
    assert [(at, data) for at, _, _, data in found] == [
        (0, {"action": "STARTED", "term_ends_at": 14 * DAY, "amount_minor": 0, "currency": "EUR"}),
        (14 * DAY + 3600, {"action": "RENEWED", "term_ends_at": 44 * DAY, "amount_minor": 3000, "currency": "EUR"}),
        (20 * DAY, {"action": "LAPSED"}),
        (21 * DAY, {"action": "STARTED"}),  # within what was paid for
        (22 * DAY, {"action": "LAPSED"}),
        (25 * DAY, {"action": "STARTED", "term_ends_at": 55 * DAY, "amount_minor": 3000, "currency": "EUR"}),
    ]


def test_checkouts_and_currencies(vendors):
    def session(id, currency="usd", **more):
        return {"object": "checkout.session", "id": id, "mode": "payment", "payment_status": "paid", "customer": None, "amount_total": 1900, "currency": currency,
                "customer_details": {"email": "Jo@Example.com"}, **more}

    done = "checkout.session.completed"
    assert [(at, data["order_id"], data["amount_minor"], data["currency"]) for at, customer, type, data in told(vendors, "stripe", [
        event("c1", done, session("cs_1"), 1), event("c2", done, session("cs_2", "jpy"), 2), event("c3", done, session("cs_3", "isk"), 3),
        event("c4", done, session("cs_4", "mga"), 4), event("c5", done, session("cs_5", payment_status="unpaid"), 5),
        event("c6", "checkout.session.async_payment_succeeded", session("cs_5"), 6), event("c7", done, session("cs_7", mode="subscription"), 7),
        event("c8", "charge.refunded", {"object": "charge", "id": "ch_1", "customer": "cus_1"}, 8),
        event("c9", "charge.dispute.created", {"object": "dispute", "id": "dp_1"}, 9), event("d1", "payment_intent.succeeded", {"object": "payment_intent"}, 10),
    ]) if (customer, type) == ("jo@example.com", "OrderPlaced")] == [
        (1, "cs_1", 1900, "USD"), (2, "cs_2", 1900, "JPY"), (3, "cs_3", 19, "ISK"), (4, "cs_4", 190000, "MGA"), (6, "cs_5", 1900, "USD")]


def test_renewals_and_churn_come_out_right(make_installation):
    """Of two terms due, one renewed; one of two customers is gone, though his subscription runs on until the period ends."""
    installation = make_installation()
    now = int(time.time()) - T
    events = []
    for id in ("sub_stays", "sub_goes"):
        events.append(event(id + "1", "customer.subscription.created", subscription(id, ends=now - 35 * DAY), now - 65 * DAY))
    events.append(event("stays2", "invoice.paid", invoice("sub_stays", now - 5 * DAY), now - 35 * DAY))
    events.append(event("stays3", "invoice.paid", invoice("sub_stays", now + 25 * DAY), now - 5 * DAY))
    events.append(event("goes2", "customer.subscription.updated", subscription("sub_goes", ends=now - 35 * DAY, cancel_at_period_end=True), now - 40 * DAY,
                        {"cancel_at_period_end": False}))
    port = free_port()
    installation.start("ingest", settings={"ingest.listen": "127.0.0.1:%d" % port})
    url = "http://127.0.0.1:%d" % port
    assert eventually(lambda: answers(url + "/readyz"), 20), installation.logs()
    for each in events:
        assert post(url, each, path="/v1/hooks/stripe", token=None).json()["accepted"] == 1
    installation.start_route()
    found = {}

    def are_there():
        for (kpi, dimension, window), value in installation.kpis().items():
            if dimension == "all" and window == "90d" and kpi in ("renewal_rate", "churn_rate"):
                found[kpi] = (value["numerator"], value["denominator"])
        return found == {"renewal_rate": (2, 3), "churn_rate": (1, 2)}

    assert eventually(are_there, 90, 1), (found, installation.logs())


# --- Chatwoot ---

def iso(at):
    return datetime.datetime.fromtimestamp(T + at, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def conversation(id, **more):
    return {"id": id, "channel": "Channel::WebWidget", "status": "open", "priority": None, "created_at": T, "updated_at": T + 0.5, "timestamp": T, "snoozed_until": None,
            "messages": [], "meta": {"sender": {"id": 9, "identifier": None, "email": "Jo@Example.com"}, "assignee": None, "team": None}, **more}


def message(id, at, content="hi", type="incoming", of=10, **more):
    sender = {"id": 9, "name": "Jo", "type": "contact"} if type == "incoming" else {"id": 1, "name": "Ana", "type": "user"}
    return {"event": "message_created", "id": id, "content": content, "created_at": iso(at), "message_type": type, "content_type": "text", "content_attributes": {}, "private": False,
            "sender": sender, "conversation": conversation(of), "account": {"id": 1}, **more}


def moved(at, event="conversation_updated", of=10, **more):
    changes = more.pop("changes")
    return {**conversation(of, updated_at=T + at, **more), "event": event,
            "changed_attributes": [{name: {"previous_value": before, "current_value": now}} for name, (before, now) in changes.items()]}


def ticket(at, action, of="10", who="jo@example.com", **data):
    return (at, who, "TicketChanged", {"ticket_id": of, "action": action, **data})


def test_chatwoot_s_conversations(vendors):
    team, ana = {"id": 3, "name": "billing"}, {"id": 1, "name": "Ana"}
    found = told(vendors, "chatwoot", [
        {**conversation(10, priority="high"), "event": "conversation_created"},
        message(1, 1, "it is broken"),
        message(2, 2, "How can we help?", "template"),
        message(3, 30, "still"),
        moved(40, meta={**conversation(0)["meta"], "team": team, "assignee": ana}, changes={"team_id": (None, 3), "assignee_id": (None, 1)}),
        message(4, 50, "psst", "outgoing", private=True),
        message(5, 51, "assigned", "activity"),
        message(6, 60, "on it", "outgoing"),
        message(7, 61, "beep", "outgoing", sender={"id": 5, "name": "Robot", "type": "agent_bot"}),
        moved(70, meta={**conversation(0)["meta"], "team": {"id": 4, "name": "repairs"}}, changes={"team_id": (3, 4)}),
        moved(71, priority="urgent", changes={"priority": ("high", "urgent")}),
        moved(72, meta=conversation(0)["meta"], changes={"assignee_id": (1, None)}),
        moved(80, "conversation_status_changed", status="snoozed", snoozed_until=None, changes={"status": ("open", "snoozed")}),
        moved(81, "conversation_status_changed", status="snoozed", snoozed_until=T + 999, changes={"status": ("open", "snoozed")}),
        moved(90, "conversation_status_changed", status="resolved", changes={"status": ("snoozed", "resolved")}),
        moved(90, status="resolved", changes={"status": ("snoozed", "resolved")}),
        moved(100, "conversation_status_changed", status="open", changes={"status": ("resolved", "open")}),
        moved(110, "conversation_status_changed", status="pending", changes={"status": ("open", "pending")}),
        moved(120, "conversation_status_changed", status="open", changes={"status": ("pending", "open")}),
        {"event": "contact_created", "id": 9},
    ])
    assert found == [
        ticket(0, "OPENED", priority="HIGH"), ticket(1, "OPENED", text="it is broken"), ticket(30, "CUSTOMER_REPLIED", text="still"),
        *sorted([ticket(40, "ASSIGNED", team="billing"), ticket(40, "ASSIGNED", agent="Ana")], key=found.index),
        ticket(60, "AGENT_REPLIED", agent="Ana", text="on it"), ticket(70, "HANDED_OFF", team="repairs"), ticket(71, "ESCALATED", priority="URGENT"),
        ticket(80, "PENDING"), ticket(90, "RESOLVED"), ticket(100, "REOPENED"), ticket(110, "PENDING")]


def test_chatwoot_s_customers_and_what_an_agent_begins(vendors):
    ours = {"sender": {"id": 9, "identifier": "c-7", "email": "a@b.c"}, "assignee": None, "team": None}
    nobody = {"sender": {"id": 9, "identifier": None, "email": None}}
    first = {"id": 1, "message_type": 1, "content": "hello", "created_at": T, "sender": {"id": 1, "name": "Ana", "type": "user"}}
    assert told(vendors, "chatwoot", [
        {**conversation(21, meta=ours, messages=[first], channel="Channel::Email"), "event": "conversation_created"},
        {**conversation(22, meta=nobody, created_at=T + 1), "event": "conversation_created"},
        {"event": "conversation_status_changed", "id": 23, "status": "resolved", "updated_at": iso(2)},
    ]) == [ticket(0, "OPENED", "21", "c-7", agent="Ana"), ticket(1, "OPENED", "22", "contact 9"), ticket(2, "RESOLVED", "23", "conversation 23")]


def test_chatwoot_s_survey(vendors):
    def answer(rating=None, feedback=None, **more):
        submitted = {"submitted_values": {"csat_survey_response": {"rating": rating, "feedback_message": feedback}}} if rating else {}
        return message(80, 0, "Please rate", "template", of=30, content_type="input_csat", content_attributes=submitted, **more)

    survey = {"survey_id": "conversation 30", "kind": "CSAT", "about": "30"}
    assert told(vendors, "chatwoot", [
        answer(), answer(event="message_updated"), answer(4, event="message_updated", updated_at=iso(60)), answer(4, event="message_updated", updated_at=iso(61)),
        answer(4, "thanks", event="message_updated", updated_at=iso(90)),
    ]) == [(0, "jo@example.com", "SurveySent", survey), (60, "jo@example.com", "SurveyAnswered", {**survey, "score": 4}),
           (90, "jo@example.com", "SurveyAnswered", {**survey, "score": 4, "comment": "thanks"})]


# --- Intercom ---

def notification(notif, topic, at=0, part=None, is_old=False, **more):
    who = {"user": {"type": "user", "id": "5f", "user_id": None, "email": "Bo@Example.com"}, "conversation_message": {"body": "<p>Hi, it&#39;s <b>late</b></p>", "author": {}}}
    if not is_old:
        who = {"contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": "6a", "external_id": "c-9"}]},
               "source": {"type": "email", "body": "<p>Hi, it&#39;s <b>late</b></p>", "author": {"type": "user", "name": "Bo"}}}
    parts = [{"created_at": T + at, "author": {"type": "admin", "id": "7", "name": "Andy"}, **part}] if part else []
    return {"type": "notification_event", "id": notif, "topic": topic, "created_at": T + at + 2, "data": {"type": "notification_event_data", "item": {
        "type": "conversation", "id": "137", "created_at": T, "priority": "not_priority", "conversation_parts": {"conversation_parts": parts}, **who, **more}}}


@pytest.mark.parametrize("is_old", [True, False], ids=["before 2.0", "since"])
def test_intercom_s_conversations(vendors, is_old):
    who = "bo@example.com" if is_old else "c-9"
    topics = [
        ("conversation.user.created", 0, None, {}),
        ("conversation.user.replied", 10, {"part_type": "comment", "body": "<p>hello?</p>"}, {}),
        ("conversation.admin.assigned", 20, {"part_type": "assignment", "author": {"type": "bot"}, "assigned_to": {"type": "team", "id": "3"}}, {}),
        ("conversation.admin.assigned", 30, {"part_type": "assignment", "assigned_to": {"type": "admin", "id": "7", "name": "Andy"}}, {}),
        ("conversation.admin.noted", 35, {"part_type": "note", "body": "psst"}, {}),
        ("conversation.admin.replied", 40, {"part_type": "comment", "body": "<p>a moment</p>"}, {}),
        ("conversation.admin.replied", 41, {"part_type": "comment", "body": "beep", "author": {"type": "bot", "name": "Fin"}}, {}),
        ("conversation.admin.assigned", 50, {"part_type": "assignment", "assigned_to": {"type": "team", "id": "4", "name": "repairs"}}, {}),
        ("conversation.admin.assigned", 51, {"part_type": "assignment", "assigned_to": {"type": "nobody_admin", "id": None}}, {}),
        ("conversation.priority.updated", 60, None, {"priority": "priority"}),
        ("conversation.admin.closed", 70, {"part_type": "close", "body": None}, {}),
        ("conversation.rating.added", 80, None, {"conversation_rating": {"rating": 2, "remark": "slow", "created_at": T + 71}}),
        ("conversation.user.replied", 90, {"part_type": "open", "body": "<p>again</p>"}, {}),
        ("conversation.admin.closed", 100, {"part_type": "close", "body": None}, {}),
        ("conversation.admin.opened", 110, {"part_type": "open", "body": None}, {}),
        ("ping", 120, None, {}),
    ]
    found = told(vendors, "intercom", [notification("notif_%d%d" % (is_old, at), topic, at, part, is_old, **more) for topic, at, part, more in topics])
    assert found == [
        ticket(0, "OPENED", "137", who, text="Hi, it's late"), ticket(10, "CUSTOMER_REPLIED", "137", who, text="hello?"),
        ticket(20, "ASSIGNED", "137", who, team="3"), ticket(30, "ASSIGNED", "137", who, agent="Andy"),
        ticket(40, "AGENT_REPLIED", "137", who, agent="Andy", text="a moment"), ticket(50, "HANDED_OFF", "137", who, team="repairs"),
        ticket(62, "ESCALATED", "137", who, priority="HIGH"), ticket(70, "RESOLVED", "137", who, agent="Andy"),
        (82, who, "SurveyAnswered", {"survey_id": "conversation 137", "kind": "CSAT", "score": 2, "comment": "slow", "about": "137"}),
        ticket(90, "REOPENED", "137", who, text="again"), ticket(100, "RESOLVED", "137", who, agent="Andy"), ticket(110, "REOPENED", "137", who, agent="Andy")]


# --- Qualtrics ---

COLUMNS = ["StartDate", "EndDate", "Status", "Progress", "Finished", "RecordedDate", "ResponseId", "RecipientEmail", "ExternalReference", "DistributionChannel",
           "Q1", "Q1_NPS_GROUP", "Q1_why", "csat_1 - Topics", "csat_1", "csat_comment", "ces-support", "brandname", "Brand_3", "comments", "ticket_id"]


def export(path, rows, zone="Etc/GMT+5"):
    standard = {"Status": "0", "Finished": "1", "RecordedDate": "2026-05-01 10:00:00", "DistributionChannel": "email"}
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(COLUMNS)
        out.writerow([{"ResponseId": "Response ID", "RecordedDate": "Recorded Date"}.get(name, "How did you like it,\nall in all?") for name in COLUMNS])
        out.writerow([json.dumps({"ImportId": {"ResponseId": "_recordId", "RecordedDate": "recordedDate"}.get(name, "QID"), "timeZone": zone}) for name in COLUMNS])
        for row in rows:
            out.writerow([{**standard, **row}.get(name, "") for name in COLUMNS])
    return path


def test_a_qualtrics_export(installation, tmp_path):
    rows = [
        {"ResponseId": "R_1", "ExternalReference": "c-1", "RecipientEmail": "x@y.z", "Q1": "9", "Q1_NPS_GROUP": "3", "Q1_why": "good", "csat_1": "4", "csat_1 - Topics": "7", "csat_comment": "fine",
         "ces-support": "6", "Brand_3": "10", "comments": "all in all", "brandname": "1", "ticket_id": "t-5"},
        {"ResponseId": "R_2", "RecipientEmail": "Jo@Example.com", "Q1": "0", "Q1_NPS_GROUP": "1", "comments": "bad", "RecordedDate": "2026-05-01T12:00:00+02:00", "Status": "IP Address", "Finished": "True"},
        {"ResponseId": "R_3", "csat_1": "5", "DistributionChannel": "anonymous"},
        {"ResponseId": "R_4", "Q1": "9", "Status": "Survey Preview"}, {"ResponseId": "R_5", "Q1": "9", "Status": "1"}, {"ResponseId": "R_6", "Q1": "9", "Status": "Spam"},
        {"ResponseId": "R_7", "Q1": "9", "Status": "12"}, {"ResponseId": "R_8", "Q1": "9", "Finished": "False"}, {"ResponseId": "R_9", "Q1": "9", "Finished": "0"},
        {"ResponseId": "R_10", "brandname": "1"},
        {"ResponseId": "R_11", "csat_1": "2", "Status": "16"},
    ]
    path = export(tmp_path / "After a repair_November 27, 2026_10.15.csv", rows)
    for _ in range(2):
        installation.succeed("import", path, "--mapping", "qualtrics")
    events = sorted(set_of(map(event_from_avro, installation.records("touchpoints"))), key=lambda event: (event["customer_id"], event["data"]["kind"]))
    assert {(event["data"].pop("survey_id"), event["type"], event["occurred_at"]) for event in events} == {("After a repair", "SurveyAnswered", 1777629600000)}
    assert [(event["customer_id"], event["channel"], *(event["data"][key] for key in ("kind", "score", "comment", "about"))) for event in events] == [
        ("c-1", "EMAIL", "BRAND", 10, None, "t-5"), ("c-1", "EMAIL", "CES", 6, None, "t-5"), ("c-1", "EMAIL", "CSAT", 4, "fine", "t-5"), ("c-1", "EMAIL", "NPS", 9, "good", "t-5"),
        ("jo@example.com", "EMAIL", "NPS", 0, "bad", None), ("response R_11", "EMAIL", "CSAT", 2, None, None), ("response R_3", "WEB", "CSAT", 5, None, None)]


def test_what_is_wrong_in_a_qualtrics_export(installation, tmp_path):
    path = export(tmp_path / "wrong.csv", [
        {"ResponseId": "R_1", "csat_1": "Very satisfied"}, {"ResponseId": "R_2", "csat_1": "7"}, {"ResponseId": "R_3", "csat_1": "3", "RecordedDate": "5/1/2026 10:00"},
        {"ResponseId": "R_4", "csat_1": "3"}])
    done = installation.run("import", path, "--mapping", "qualtrics")
    assert done.returncode == 1 and len(installation.records("touchpoints")) == 1, done.stderr
    told = [(one["code"], one["path"]) for one in installation.rejected()]
    assert sorted(told) == [("bad_mapping", ""), ("bad_time", "occurred_at"), ("out_of_range", "data.score")]
    assert "csat_1: no number: export numeric values, not choice texts" in done.stderr
    (tmp_path / "other.csv").write_text("id,score\n1,2\n")
    done = installation.run("import", tmp_path / "other.csv", "--mapping", "qualtrics")
    assert done.returncode == 1 and "ResponseId is missing" in done.stderr


# --- SurveyMonkey ---

def utc(at):
    return iso(at)[:19] + "+00:00"


def question(heading, *answers, family="matrix", subtype="rating"):
    return {"id": "62521622", "answers": list(answers), "family": family, "subtype": subtype, "heading": heading}


def rated(weight, text=None, row="645789056"):
    return {"choice_id": "645789061", "row_id": row, "choice_metadata": {"weight": str(weight)}, "simple_text": str(weight) if text is None else text}


def wrote(text, subtype="essay"):
    return question("Anything else?", {"tag_data": [], "text": text, "simple_text": text}, family="open_ended", subtype=subtype)


def response(id, *questions, at=0, **more):
    return {"id": id, "survey_id": "505286548", "collector_id": "50253690", "recipient_id": "0", "response_status": "completed", "collection_mode": "default", "total_time": 61,
            "href": "https://api.surveymonkey.com/v3/surveys/505286548/responses/" + id, "custom_variables": {}, "custom_value": "", "email_address": "", "metadata": {},
            "ip_address": "192.0.2.4", "logic_path": {}, "page_path": [], "date_created": utc(at - 60), "date_modified": utc(at),
            "pages": [{"id": "1", "questions": list(questions)}, {"id": "2", "questions": []}], **more}


RECOMMEND, SATISFIED, EASY = "<p>How likely are you to recommend us?</p>", "How satisfied are you with our support?", "How easy was it to be helped?"


def test_surveymonkey_s_responses(vendors):
    ours = {"customer_id": "c-42", "ticket_id": "t-7", "product": "gold"}
    page = {"per_page": 100, "page": 1, "total": 2, "links": {}, "data": [
        response("1003", question(SATISFIED, rated(2, "Support | Poor")), at=20, email_address="Jo@Example.com", recipient_id="564728340"),
        response("1004", question(SATISFIED, rated(3)), at=30, metadata={"contact": {"email": {"type": "string", "value": "Al@Example.com"}}})]}
    assert told(vendors, "surveymonkey", [
        response("1001", question(RECOMMEND, rated(100, "9")), question(SATISFIED, rated(4, "")), question(EASY, {"choice_id": "1", "simple_text": "6 - easy"}, family="single_choice"),
                 question(SATISFIED, rated(1)), wrote("Ms", "single"), wrote("so <b>slow</b>"), custom_variables=ours),
        page, page,
        response("1005", question(RECOMMEND, rated(-100, "Not at all likely - 0")), question(SATISFIED, rated(1), rated(2, row="2")), question("What is your age?", rated(5)),
                 wrote("I would recommend 10", "single"), at=40),
        response("1006", question(RECOMMEND, rated(100, "10")), at=50, response_status="partial"),
        response("1007", question(RECOMMEND, rated(100, "10")), at=50, collection_mode="survey_preview"),
        response("1008", question(SATISFIED, {"choice_id": "1", "simple_text": "Very satisfied"}, family="single_choice"), at=50),
        {"name": "hook", "event_type": "collector_created", "object_type": "collector", "object_id": "1", "event_datetime": utc(0), "resources": {}},
    ]) == [
        (0, "c-42", "SurveyAnswered", {"survey_id": "505286548", "kind": kind, "score": score, "about": "t-7", **more})
        for kind, score, more in (("NPS", 9, {"comment": "so <b>slow</b>"}), ("CSAT", 4, {}), ("CES", 6, {}))
    ] + [
        (20, "jo@example.com", "SurveyAnswered", {"survey_id": "505286548", "kind": "CSAT", "score": 2}),
        (30, "al@example.com", "SurveyAnswered", {"survey_id": "505286548", "kind": "CSAT", "score": 3}),
        (40, "response 1005", "SurveyAnswered", {"survey_id": "505286548", "kind": "NPS", "score": 0, "comment": "I would recommend 10"}),
    ]


def test_surveymonkey_s_responses_out_of_a_file(installation, tmp_path):
    """A script's nightly download: an array of pages; what a page says of the way it came shows in the touchpoint."""
    (tmp_path / "night.json").write_text(json.dumps([{"data": [response("%d" % i, question(RECOMMEND, rated(0, "7")), recipient_id="56")]} for i in range(3)]))
    installation.succeed("import", tmp_path / "night.json", "--mapping", "surveymonkey")
    events = list(map(event_from_avro, installation.records("touchpoints")))
    assert {(event["source"], event["channel"], event["data"]["score"]) for event in events} == {("surveymonkey", "EMAIL", 7)} and len(events) == 3


@pytest.mark.parametrize("payload,reason", [
    ({"name": "hook", "event_type": "response_completed", "object_type": "response", "object_id": "1001", "event_id": "1", "event_datetime": utc(0), "filter_id": "505286548",
      "filter_type": "survey", "resources": {"survey_id": "505286548", "collector_id": "5", "respondent_id": "1001", "recipient_id": "0", "user_id": "1"}}, "has no answers: fetch"),
    (response("1009", {"id": "319352786", "answers": [{"choice_id": "3057839051"}]}), "simple=true"),
    ({**response("1010", question(SATISFIED, rated(4))), "id": None}, "id is missing"),
])
def test_what_surveymonkey_says_nothing_with(vendors, payload, reason):
    (rejected,) = send(vendors[1], "surveymonkey", payload).json()["rejected"]
    assert rejected["code"] == "bad_mapping" and reason in rejected["reason"], rejected


# --- HubSpot ---

def crm_object(id, contact=None, **properties):
    made = {"id": id, "properties": {"hs_object_id": id, "hs_lastmodifieddate": iso(900), **properties}, "createdAt": iso(0), "updatedAt": iso(900), "archived": False}
    return {**made, "associations": {"contacts": {"results": [{"id": contact, "type": "contact"}]}}} if contact else made


def hub_ticket(id, contact="551", **properties):
    return crm_object(id, contact, **{"subject": "No parcel", "content": "<p>Where is it?</p>", "createdate": iso(0), "closed_date": None, "first_agent_reply_date": None,
                                      "hs_ticket_reopened_at": None, "hs_pipeline_stage": "1", "hs_ticket_priority": "HIGH", "source_type": "EMAIL", **properties})


def hub_answer(id, value, contact="551", kind="NPS", **properties):
    return crm_object(id, contact, **{"hs_survey_id": "5", "hs_survey_name": "Loyalty", "hs_survey_type": kind, "hs_survey_channel": "EMAIL", "hs_value": value, "hs_content": "fine",
                                      "hs_response_group": "PROMOTER", "hs_submission_timestamp": iso(100), "hs_ticket_id": None, **properties})


def test_hubspot_s_tickets(vendors):
    replied = {"first_agent_reply_date": iso(60)}
    later = {"results": [hub_ticket("2001", **replied, closed_date=iso(300), hs_pipeline_stage="4"), hub_ticket("2002", None, content="", source_type="CHAT", createdate=iso(10))],
             "paging": {"next": {"after": "2"}}}

    def step(at, ticket, customer, action, **data):
        return (at, customer, "TicketChanged", {"ticket_id": ticket, "action": action, **data})

    assert told(vendors, "hubspot", [
        hub_ticket("2001"), hub_ticket("2001", **replied), later, later,
        [hub_ticket("2001", **replied, hs_ticket_reopened_at=iso(400)), {**hub_ticket("2003"), "archived": True}, crm_object("9", dealname="a deal")],
        hub_ticket("2001", **replied, hs_ticket_reopened_at=iso(400), closed_date=iso(500)),
    ]) == [
        step(0, "2001", "contact 551", "OPENED", priority="HIGH", text="Where is it?"),
        step(10, "2002", "ticket 2002", "OPENED", priority="HIGH", text="No parcel"),
        step(60, "2001", "contact 551", "AGENT_REPLIED"),
        step(300, "2001", "contact 551", "RESOLVED"),
        step(400, "2001", "contact 551", "REOPENED"),
        step(500, "2001", "contact 551", "RESOLVED"),
    ]


def test_hubspot_s_answers(vendors):
    assert told(vendors, "hubspot", [
        hub_answer("3001", "9"), hub_answer("3001", "9"), hub_answer("3002", "0", None, hs_contact_id="77", hs_content="", hs_submission_timestamp=iso(110), hs_ticket_id="2001"),
        hub_answer("3003", "10", customer_id="c-42", hs_submission_timestamp=iso(120)), hub_answer("3004", "1", kind="CUSTOM"),
    ]) == [
        (100, "contact 551", "SurveyAnswered", {"survey_id": "5", "kind": "NPS", "score": 9, "comment": "fine"}),
        (110, "contact 77", "SurveyAnswered", {"survey_id": "5", "kind": "NPS", "score": 0, "about": "2001"}),
        (120, "c-42", "SurveyAnswered", {"survey_id": "5", "kind": "NPS", "score": 10, "comment": "fine"}),
    ]


@pytest.mark.parametrize("payload,reason", [
    ([{"eventId": 1, "subscriptionId": 2, "portalId": 3, "appId": 4, "occurredAt": 1780000000000, "subscriptionType": "ticket.propertyChange", "attemptNumber": 0, "objectId": 2001,
       "propertyName": "hs_pipeline_stage", "propertyValue": "4", "changeSource": "CRM"}], "neither contact nor text: fetch"),
    (hub_answer("3005", "2", kind="CSAT"), "no scale that can be told"),
    (hub_answer("3006", "6", kind="CES"), "no scale that can be told"),
    (hub_answer("3007", ""), "properties.hs_value is missing"),
    (hub_ticket(None), "id is missing"),
])
def test_what_hubspot_says_nothing_with(vendors, payload, reason):
    (rejected,) = send(vendors[1], "hubspot", payload).json()["rejected"]
    assert rejected["code"] == "bad_mapping" and reason in rejected["reason"], rejected


# --- what is broken, and who it is from ---

@pytest.mark.parametrize("hook,payload,field", [
    ("stripe", event("x1", "customer.subscription.created", {**subscription("sub_x"), "id": None}), "data.object.id"),
    ("stripe", event("x2", "customer.subscription.created", {**subscription("sub_x"), "customer": None}), "data.object.customer"),
    ("stripe", event("x3", "invoice.paid", {**invoice("sub_x", 0), "parent": None}), "data.object.subscription"),
    ("stripe", {**event("x4", "customer.subscription.created", subscription("sub_x")), "created": None}, "created"),
    ("chatwoot", {**message(1, 0), "conversation": {}}, "conversation.id"),
    ("chatwoot", {**message(1, 0), "id": None}, "id"),
    ("intercom", notification(None, "conversation.user.created"), "id"),
    ("intercom", notification("n1", "conversation.rating.added"), "data.item.conversation_rating.rating"),
    ("intercom", notification("n2", "conversation.user.created", id=None), "data.item.id"),
])
def test_a_broken_payload_names_its_field(vendors, hook, payload, field):
    answer = send(vendors[1], hook, payload)
    assert answer.status_code == 200 and answer.json()["accepted"] == 0, answer.text
    (rejected,) = answer.json()["rejected"]
    assert rejected["code"] == "bad_mapping" and field + " is missing" in rejected["reason"], rejected


def test_a_rating_out_of_its_range_is_refused(vendors):
    answer = send(vendors[1], "intercom", notification("n3", "conversation.rating.added", conversation_rating={"rating": 6}))
    assert [(one["code"], one["path"]) for one in answer.json()["rejected"]] == [("out_of_range", "data.score")]


BODY = json.dumps(event("s1", "payout.paid", {"object": "payout"})).encode()


@pytest.mark.parametrize("status,hook,headers", [
    (200, "stripe", lambda: stripe_headers(BODY)),
    (200, "stripe", lambda: {"Stripe-Signature": stripe_headers(BODY)["Stripe-Signature"].replace(",v1=", ",v1=" + "0" * 64 + ",v1=")}),
    (401, "stripe", lambda: stripe_headers(BODY, secret="another")),
    (401, "stripe", lambda: stripe_headers(BODY + b" ")),
    (401, "stripe", lambda: stripe_headers(BODY, text=b"%s%s")),
    (401, "stripe", lambda: {"Stripe-Signature": stripe_headers(BODY)["Stripe-Signature"].replace("v1=", "v0=")}),
    (401, "stripe", lambda: {"Stripe-Signature": stripe_headers(BODY)["Stripe-Signature"].split(",", 1)[1]}),
    (401, "stripe", lambda: {"Stripe-Signature": ""}),
    (401, "stripe", lambda: {}),
    (200, "chatwoot", lambda: chatwoot_headers(BODY)),
    (401, "chatwoot", lambda: {"X-Chatwoot-Signature": chatwoot_headers(BODY)["X-Chatwoot-Signature"]}),
    (401, "chatwoot", lambda: {**chatwoot_headers(BODY), "X-Chatwoot-Timestamp": "1780000000"}),
    (401, "chatwoot", lambda: {"X-Chatwoot-Signature": "sha256=" + signed(SECRETS["chatwoot"], BODY)}),
    (401, "chatwoot", lambda: {"X-Chatwoot-Signature": "sha256=" + signed(SECRETS["chatwoot"], BODY), "X-Chatwoot-Timestamp": ""}),
    (200, "intercom", lambda: intercom_headers(BODY)),
    (401, "intercom", lambda: intercom_headers(BODY + b" ")),
    (401, "intercom", lambda: {"X-Hub-Signature": "sha256=" + signed(SECRETS["intercom"], BODY)}),
    (401, "stripe", lambda: {"Stripe-Signature": "sha1=" + signed(SECRETS["stripe"], BODY, hashlib.sha1)}),
])
def test_who_signed(vendors, status, hook, headers):
    """Signed now, and not when pytest read this file: a stamp is good for five minutes."""
    assert post(vendors[1], BODY, path="/v1/hooks/" + hook, token=None, **headers()).status_code == status


def test_intercom_asks_whether_there_is_an_endpoint(vendors):
    """A HEAD without a signature, before it takes the URL."""
    assert requests.head(vendors[1] + "/v1/hooks/intercom", timeout=5).status_code == 200
    assert requests.get(vendors[1] + "/v1/hooks/intercom", timeout=5).status_code == 405


@pytest.mark.parametrize("make", [stripe_headers, chatwoot_headers], ids=["in one header", "in its own"])
def test_a_stamp_is_five_minutes_off_at_most(vendors, make):
    for off, status in ((-240, 200), (240, 200), (-360, 401), (360, 401)):
        assert post(vendors[1], BODY, path="/v1/hooks/stripe", token=None, **make(BODY, time.time() + off)).status_code == status, off
