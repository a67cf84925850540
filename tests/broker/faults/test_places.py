"""Of a dimension with more than kpi.rollup_values_max values those that came first have series of their own: a crash gives their places to nobody else."""

import datetime
import json
import signal
import uuid

from installation import eventually
from storm import is_caught_up

CUSTOMERS = 3000  # more than are saved before the kill: 64 with each sum, once a second
FIRST = ["A", "B"]


def event(customer, product, type, data):
    return {"event_id": str(uuid.uuid4()), "customer_id": customer, "occurred_at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds"),
            "source": "test", "channel": "APP", "product": product, "type": type, "data": data}


def review(number, product):
    """Counted, and not remembered of the customer."""
    return event("reader%d" % number, product, "ReviewPosted", {"stars": 5, "text": "as it is"})


def ticket(number, action):
    return event("c%d" % number, "over%d" % (number % 5), "TicketChanged", {"ticket_id": "t%d" % number, "action": action})


def tell(installation, events):
    installation.succeed("import", "-", input="".join(json.dumps(one) + "\n" for one in events))


def backlog(installation):
    """{product: what the additions for the KPI stage come to}"""
    found = {}
    for delta in installation.records("kpi.deltas"):
        if delta["kpi"] == "backlog" and delta["dimension"].startswith("product="):
            product = delta["dimension"][len("product="):]
            found[product] = found.get(product, 0) + sum(bucket["n"] for bucket in delta["buckets"])
    return found


def test_what_is_over_stays_over_when_the_processor_dies(make_installation):
    installation = make_installation(**{"topics.partitions": 1, "kpi.rollups": ["product"], "kpi.rollup_values_max": len(FIRST),
                                        "engine.session_timeout": "6s", "engine.transaction_timeout": "10s", "engine.summary_interval": "1s"})
    journey = installation.start("journey")
    installation.start("kpi")
    tell(installation, [review(number, product) for number, product in enumerate(FIRST)])
    assert eventually(lambda: len(installation.latest("journeys")) == len(FIRST)), installation.logs()
    tell(installation, [event("later%d" % number, None, "ProductUsed", {"feature": "x", "seconds": 1}) for number in range(3)])
    assert eventually(lambda: len(installation.latest("journeys")) == len(FIRST) + 3), installation.logs()  # a pass more: not read again

    tell(installation, [ticket(number, "OPENED") for number in range(CUSTOMERS)])
    assert eventually(lambda: backlog(installation) == {"_other": CUSTOMERS}, pause=0), backlog(installation)
    installation.stop(journey, signal.SIGKILL)
    saved = len(installation.latest("journeys"))
    assert saved < CUSTOMERS / 2, "%d are saved already: this run shows nothing" % saved
    installation.start("journey")
    tell(installation, [ticket(number, "RESOLVED") for number in range(CUSTOMERS)] + [review(number + 5, product) for number, product in enumerate(FIRST)])
    assert is_caught_up(installation, "journey") and is_caught_up(installation, "kpi"), installation.logs()

    assert {product: n for product, n in backlog(installation).items() if n} == {}, backlog(installation)
    published = lambda kpi: {dimension: record["value"] for (name, dimension, window), record in installation.kpis().items()
                             if name == kpi and dimension.startswith("product=") and window in ("now", "24h")}
    assert eventually(lambda: published("backlog") == {"product=_other": 0}), published("backlog")
    assert eventually(lambda: published("review_count") == {"product=A": 2, "product=B": 2}), published("review_count")
