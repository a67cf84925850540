"""Other people's clients read what we publish: kcat and confluent-kafka's AvroDeserializer, through the registry."""

import json
import shutil
import subprocess
import uuid

import pytest
from installation import eventually

ANGRY = {"source": "shop", "channel": "EMAIL", "segment": "smb", "customer_id": "c-1", "type": "SurveyAnswered"}


@pytest.fixture
def live(installation, tmp_path):
    """A route on which an angry customer has just answered two surveys and opened a ticket."""
    installation.start_route()
    lines = [
        {**ANGRY, "event_id": "a1", "data": {"survey_id": "s1", "kind": "NPS", "score": 0, "comment": "I am leaving, and my lawyer will call you."}},
        {**ANGRY, "event_id": "a2", "data": {"survey_id": "s2", "kind": "CSAT", "score": 1, "comment": "Dangerous, terrible, useless."}},
        {**ANGRY, "event_id": "a3", "type": "TicketChanged", "data": {"ticket_id": "t1", "action": "OPENED", "text": "Broken again. I want my money back.", "priority": "URGENT"}},
    ]
    from datetime import datetime, timezone
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    file = tmp_path / "angry.ndjson"
    file.write_text("".join(json.dumps({**line, "occurred_at": now}) + "\n" for line in lines))
    installation.succeed("import", file)
    return installation


@pytest.mark.parametrize("topic", ["touchpoints.enriched", "kpis", "alerts"])
def test_avro_deserializer_reads(live, topic):
    records = eventually(lambda: live.deserialized(topic), 30)
    assert records, live.logs()
    if topic == "touchpoints.enriched":
        eventually(lambda: len(live.deserialized(topic)) >= 3, 30)
        first = next(r for r in live.deserialized(topic) if uuid.UUID(bytes=bytes(r["event_id"])) ==
                     uuid.uuid5(uuid.uuid5(uuid.NAMESPACE_URL, "shop"), "a1"))
        assert first["category"] == "FEEDBACK" and first["customer_id"] == "c-1" and first["stage"] == "ONBOARDING"
    if topic == "kpis":
        found = eventually(lambda: [r for r in live.deserialized("kpis") if (r["kpi"], r["dimension"], r["window"]) == ("nps", "all", "24h")], 30)
        assert found[-1]["value"] == -100 and found[-1]["n"] == 1


def kcat(installation, topic, *options):
    return subprocess.run(["kcat", "-C", "-b", installation.services["KAFKA"], "-t", installation.topic(topic), "-e", "-q", "-o", "beginning",
                           "-X", "isolation.level=read_committed", *options], capture_output=True, timeout=120)


@pytest.mark.skipif(not shutil.which("kcat"), reason="needs kcat")
@pytest.mark.parametrize("topic", ["touchpoints.enriched", "kpis", "alerts"])
def test_kcat_reads(live, topic):
    """As Avro where this kcat can (Debian's is built without); else its bytes, which any Avro reader takes with the schema
    that the registry has for them."""
    assert eventually(lambda: live.records(topic), 30), live.logs()
    done = kcat(live, topic, "-s", "value=avro", "-r", live.services["REGISTRY"])
    if b"lacks Avro" in done.stderr:
        done = kcat(live, topic, "-D", "", "-f", "%S\n%s")
        size, _, value = done.stdout.partition(b"\n")
        assert live.decode(value[:int(size)])
    else:
        assert any(json.loads(line) for line in done.stdout.splitlines() if line.strip().startswith(b"{")), done.stdout[:500]
    assert done.returncode == 0, done.stderr
