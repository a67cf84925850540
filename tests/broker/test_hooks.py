"""Vendors' own payloads at the hooks that are shipped for them: what is JSON is taken with a verdict, what is none is 400, and
none of it goes wrong in a mapping."""

import collections
import json

import pytest
from installation import eventually
from test_collector import answers, collector, post

HOOK_OF = {"shopify": "shopify", "shopify_api": "shopify", "zendesk_api": "zendesk", "zendesk_webhook": "zendesk", "typeform": "typeform",
           "satismeter": "satismeter", "segment_spec": "segment", "freshdesk": "freshdesk", "stripe": "stripe", "chatwoot": "chatwoot"}
# Counted by hand: orders (lists of them one by one), the ticket created, one form, three answers of each survey … Stripe's are objects without their
# events, but for one of a plan.
TOUCHPOINTS = {"shopify": 7, "shopify_api": 2, "zendesk_api": 0, "zendesk_webhook": 1, "typeform": 1, "satismeter": 6, "segment_spec": 3,
               "freshdesk": 4, "stripe": 0, "chatwoot": 1}
# A page's shortened sample, without the time that Chatwoot always sends.
TIMELESS = "chatwoot/message_created.json"
# JSON to Python's lenient reader, and refused all the same: NaN, half a surrogate pair, over a record's size.
REFUSED = {"nan_infinity.json": 400, "lone_surrogate.json": 400, "big_string_1MiB.json": 413}


@pytest.fixture(scope="module")
def hooks(shared_installation):
    url, _ = collector(shared_installation)
    assert eventually(lambda: answers(url + "/readyz"), 20), shared_installation.logs()
    return url


def payloads(data):
    return json.loads((data / "webhooks/index.json").read_text())


def test_every_vendor_s_payload_is_taken_by_its_mapping(hooks, data):
    taken = collections.Counter()
    for sample in payloads(data):
        if sample["vendor"] not in HOOK_OF:
            continue
        answer = post(hooks, (data / "webhooks" / sample["file"]).read_bytes(), path="/v1/hooks/" + HOOK_OF[sample["vendor"]])
        rejected = [one["path"] for one in answer.json()["rejected"]]
        assert answer.status_code == 200 and rejected == (["occurred_at"] if sample["file"] == TIMELESS else []), (sample["file"], answer.text)
        taken[sample["vendor"]] += answer.json()["accepted"]
    assert {vendor: taken[vendor] for vendor in TOUCHPOINTS} == TOUCHPOINTS


def test_what_is_no_json_is_400_at_any_hook(hooks, data):
    for sample in payloads(data):
        if sample["vendor"] != "malformed_derived":
            continue
        body, name = (data / "webhooks" / sample["file"]).read_bytes(), sample["file"].split("/")[-1]
        wanted = REFUSED.get(name, 200 if sample["valid_json"] else 400)
        for hook in ("shopify", "zendesk", "typeform"):
            assert post(hooks, body, path="/v1/hooks/" + hook).status_code == wanted, (name, hook)


def test_a_payload_told_twice_is_one_touchpoint(hooks, data, shared_installation):
    """Vendors send again: the ids that mappings give are the same each time."""
    body = (data / "webhooks/zendesk_webhook/zendesk_ticket_created.json").read_bytes()
    count = lambda: collections.Counter(bytes(record["event_id"]) for record in shared_installation.records("touchpoints"))
    before = count()
    for _ in range(2):
        assert post(hooks, body, path="/v1/hooks/zendesk").json()["accepted"] == 1
    assert list((count() - before).values()) == [2]
