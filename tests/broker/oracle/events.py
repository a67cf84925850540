"""Touchpoints as plain dicts: event_id, customer_id, occurred_at, received_at, source, channel, product, segment,
region, attributes, type, data; times are integers of ms, event_id is a uuid.UUID."""

import datetime
import uuid

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
MILLISECOND = datetime.timedelta(milliseconds=1)


def as_ms(value):
    """An instant in any of the forms the readers give, as ms since the epoch."""
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, str):
        value = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
    return (value - EPOCH) // MILLISECOND


def event_identity(source, text):
    """[1] A source's own id that is no UUID becomes UUIDv5 of it under the source's own namespace."""
    if len(text) == 36:
        try:
            return uuid.UUID(text)
        except ValueError:
            pass
    return uuid.uuid5(uuid.uuid5(uuid.NAMESPACE_URL, source), text)


TIMES = {"promised_at", "term_ends_at"}


def event_from_json(form):
    """The contract's JSON form."""
    data = {key: as_ms(value) if key in TIMES else value for key, value in (form.get("data") or {}).items()}
    occurred_at = as_ms(form["occurred_at"])
    return {
        "event_id": event_identity(form["source"], str(form["event_id"])),
        "customer_id": form["customer_id"],
        "occurred_at": occurred_at,
        "received_at": as_ms(form.get("received_at", occurred_at)),
        "source": form["source"],
        "channel": form["channel"],
        "product": form.get("product"),
        "segment": form.get("segment"),
        "region": form.get("region"),
        "attributes": form.get("attributes") or {},
        "type": form["type"],
        "data": data,
    }


def event_from_avro(record):
    """What a reader of the `touchpoints` topic gives with return_record_name: the body as (name, dict)."""
    name, body = record["body"]
    return {
        **{key: record[key] for key in ("customer_id", "source", "channel", "product", "segment", "region", "attributes")},
        "event_id": uuid.UUID(bytes=bytes(record["event_id"])),
        "occurred_at": as_ms(record["occurred_at"]),
        "received_at": as_ms(record["received_at"]),
        "type": name.rsplit(".", 1)[-1],
        "data": {key: as_ms(value) if key in TIMES else value for key, value in body.items()},
    }


def set_of(events):
    """[2] The first to arrive of each (customer, event id) stands; the rest are duplicates."""
    seen = {}
    for event in events:
        seen.setdefault((event["customer_id"], event["event_id"]), event)
    return list(seen.values())


def in_order(events):
    """[3] As if sorted by (occurred_at, event_id bytes)."""
    return sorted(events, key=lambda event: (event["occurred_at"], event["event_id"].bytes))
