#!/usr/bin/env python3
"""Golden records, written by an independent Avro implementation (fastavro).

    python3 tests/golden/make_golden.py

writes beside itself
  records.ndjson  {"record", "avro": hex, "json": the record's JSON form}: our codecs have to read these bytes, show
                  that JSON and write the same bytes again;
  foreign.ndjson  {"case", "record", "schema": the writer's, "avro": hex, "ours": hex or null}: the bytes under another
                  writer's schema, and what they are under ours by fastavro's schema resolution; null where a
                  record has no place in our schema.
Seeded: the same files each time. Run it again when a schema changes, and look at the difference before committing."""
import copy
import datetime
import io
import json
import pathlib
import random
import uuid

import fastavro

HERE = pathlib.Path(__file__).resolve().parent
SCHEMAS = HERE.parent.parent / "schemas"
UTC = datetime.timezone.utc
rng = random.Random(20261122)

TEXTS = ["", "a", "Order 17", "späte Lieferung", "届かない", "🙂 thanks", 'quotes " and \\ and\nlines\t', "x" * 70]


def resolve(schema, names):
    """All named types of a schema, by name."""
    if isinstance(schema, list):
        for branch in schema:
            resolve(branch, names)
    elif isinstance(schema, dict):
        if "name" in schema:
            names[schema["name"]] = schema
        for field in schema.get("fields", []):
            resolve(field["type"], names)
        for key in ("items", "values"):
            if key in schema:
                resolve(schema[key], names)


def integer(bits):
    edge = [0, 1, -1, 63, 64, -64, -65, 8191, 8192, 2 ** (bits - 1) - 1, -(2 ** (bits - 1))]
    return rng.choice(edge) if rng.random() < 0.4 else rng.randrange(-(2 ** (bits - 1)), 2 ** (bits - 1))


def value_and_json(schema, names, field=""):
    """A random value as fastavro takes it, and the same in our JSON form."""
    if isinstance(schema, str) and schema in names:
        schema = names[schema]
    if isinstance(schema, list):
        if schema[0] == "null":
            return (None, None) if rng.random() < 0.4 else value_and_json(schema[1], names, field)
        raise AssertionError("bodies are made by touch()")
    kind = schema if isinstance(schema, str) else schema["type"]
    if isinstance(schema, dict) and schema.get("logicalType") == "timestamp-millis":
        ms = rng.choice([0, 1, 999, -1, 1795341600123, 253402300799999, rng.randrange(2 ** 41)])
        at = datetime.datetime(1970, 1, 1, tzinfo=UTC) + datetime.timedelta(milliseconds=ms)
        return ms, at.strftime(f"{at.year:04d}-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
    if kind == "boolean":
        flag = rng.random() < 0.5
        return flag, flag
    if kind in ("int", "long"):
        number = integer(32 if kind == "int" else 64)
        return number, number
    if kind == "double":
        number = rng.choice([0.0, -1.0, 0.1, 1 / 3, 1e300, 5e-324, 100.0, rng.uniform(-1, 1)])
        return number, int(number) if number == int(number) and abs(number) < 1e15 else number
    if kind == "string":
        text = rng.choice(TEXTS)
        return text, text
    if kind == "bytes":
        if field == "payload":
            text = rng.choice(TEXTS)
            return text.encode(), text
        return b"\x00\xff\x10", "AP8Q"
    if kind == "fixed":
        raw = bytes(rng.randrange(256) for _ in range(16))
        return raw, str(uuid.UUID(bytes=raw))
    if kind == "enum":
        symbol = rng.choice(schema["symbols"])
        return symbol, symbol
    if kind == "map":
        both = {f"k{i} é": value_and_json(schema["values"], names) for i in range(rng.choice([0, 0, 1, 3]))}
        return {k: v[0] for k, v in both.items()}, {k: v[1] for k, v in both.items()}
    if kind == "array":
        both = [value_and_json(schema["items"], names) for _ in range(rng.choice([0, 1, 2, 2 if isinstance(schema["items"], dict) else 70]))]
        return [v[0] for v in both], [v[1] for v in both]
    if kind == "record":
        return record(schema, names)
    raise AssertionError(kind)


def record(schema, names, body=None):
    value, shown = {}, {}
    for field in schema["fields"]:
        name = field["name"]
        if name == "body":
            inner, inner_json = value_and_json(names[body], names)
            value[name] = ("touchstream." + body, inner)
            shown["type"], shown["data"] = body, inner_json
        else:
            value[name], shown[name] = value_and_json(field["type"], names, name)
    return value, shown


def encode(schema, value):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(copy.deepcopy(schema)), value, strict=True)
    return out.getvalue()


def body_names(schema):
    branches = next(f["type"] for f in schema["fields"] if f["name"] == "body")
    return [b if isinstance(b, str) else b["name"] for b in branches]


def golden_records():
    for path in sorted(SCHEMAS.glob("*.avsc")):
        schema = json.loads(path.read_text())
        names = {}
        resolve(schema, names)
        has_body = any(f["name"] == "body" for f in schema["fields"])
        for body in body_names(schema) if has_body else [None] * 3:
            value, shown = record(schema, names, body)
            yield {"record": schema["name"], "avro": encode(schema, value).hex(), "json": shown}
    rejected = json.loads((SCHEMAS / "rejected.avsc").read_text())
    value = {"received_at": 0, "source": "s", "code": "bad_utf8", "path": "", "reason": "", "payload": b"\xff{",
             "attempt": 1, "event_id": None}
    shown = {"received_at": "1970-01-01T00:00:00.000Z", "source": "s", "code": "bad_utf8", "path": "", "reason": "",
             "payload_base64": "/3s=", "attempt": 1, "event_id": None}
    yield {"record": "Rejected", "avro": encode(rejected, value).hex(), "json": shown}


def field_of(schema, name):
    return next(f for f in schema["fields"] if f["name"] == name)


def foreign_cases():
    touchpoint = json.loads((SCHEMAS / "touchpoint.avsc").read_text())
    kpi = json.loads((SCHEMAS / "kpi.avsc").read_text())

    def added_field(schema):
        schema["fields"].insert(3, {"name": "weather", "type": ["null", "string"], "default": None})
        return "SurveyAnswered", {"weather": "rain"}

    def removed_field(schema):
        schema["fields"].remove(field_of(schema, "region"))
        return "TicketChanged", {}

    def reordered_fields(schema):
        schema["fields"].insert(0, schema["fields"].pop(4))
        schema["fields"].insert(2, schema["fields"].pop(9))
        return "OrderPlaced", {}

    def widened_union(schema):
        field_of(schema, "body")["type"].insert(
            0, {"type": "record", "name": "Telepathy", "fields": [{"name": "thought", "type": "string"}]})
        return "SocialMention", {}

    def widened_union_used(schema):
        widened_union(schema)
        return "Telepathy", {}

    def more_symbols(schema):
        field_of(schema, "channel")["type"]["symbols"].insert(0, "HOLOGRAM")
        return "ReviewPosted", {"channel": "PHONE"}

    def more_symbols_used(schema):
        more_symbols(schema)
        return "ReviewPosted", {"channel": "HOLOGRAM"}

    def required_missing(schema):
        schema["fields"].remove(field_of(schema, "customer_id"))
        return "OrderPlaced", {}

    def optional_made_required(schema):
        field_of(schema, "product").update(type="string")
        field_of(schema, "product").pop("default")
        return "ProductUsed", {}

    def other_namespace(schema):
        schema["namespace"] = "elsewhere"
        return "CaseActed", {}

    def as_ours(schema):
        return "OrderDelivered", {}

    for change in (as_ours, added_field, removed_field, reordered_fields, widened_union, widened_union_used, more_symbols,
                   more_symbols_used, required_missing, optional_made_required, other_namespace):
        schema = copy.deepcopy(touchpoint)
        body, fixed = change(schema)
        names = {}
        resolve(schema, names)
        value, _ = record(schema, names, body)
        if change is other_namespace:
            value["body"] = ("elsewhere." + body, value["body"][1])
        value.update(fixed)
        yield foreign_case(change.__name__, schema, touchpoint, value)

    schema = copy.deepcopy(kpi)
    for name in ("value", "low"):
        field_of(schema, name)["type"] = ["null", "long"]
    field_of(schema, "n")["type"] = "int"
    field_of(schema, "maturity")["type"] = "float"
    value = {f["name"]: f.get("default") for f in schema["fields"]}
    value.update(kpi="nps", dimension="all", window="7d", value=-12, n=300, maturity=0.5, low_n=False, watermark=5, at=7,
                 definition="1", low=3)
    yield foreign_case("narrower_numbers", schema, kpi, value)

    schema = copy.deepcopy(kpi)
    schema["fields"].remove(field_of(schema, "closed"))
    del value["closed"]
    value.update(value=None, low=None)
    yield foreign_case("removed_array_with_default", schema, kpi, value)


def foreign_case(name, schema, ours, value):
    avro = encode(schema, value)
    try:
        reader_schema = copy.deepcopy(ours)
        if schema["namespace"] != ours["namespace"]:
            reader_schema["namespace"] = schema["namespace"]
        read = fastavro.schemaless_reader(io.BytesIO(avro), fastavro.parse_schema(copy.deepcopy(schema)),
                                          fastavro.parse_schema(reader_schema), return_record_name=True,
                                          return_record_name_override=False)
        result = encode(reader_schema, read).hex()
    except Exception as error:  # whatever fastavro calls it: it has no place in our schema
        print(f"{name}: refused: {type(error).__name__}: {str(error)[:80]}")
        result = None
    return {"case": name, "record": ours["name"], "schema": json.dumps(schema, separators=(",", ":")), "avro": avro.hex(), "ours": result}


def write(name, rows):
    rows = list(rows)
    (HERE / name).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    print(f"{name}: {len(rows)}")


if __name__ == "__main__":
    write("records.ndjson", golden_records())
    write("foreign.ndjson", foreign_cases())
