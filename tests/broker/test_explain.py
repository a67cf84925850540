"""`explain`: the events a number is made of, and the number again from the log alone."""

import json
import time
import uuid

from installation import eventually


def answer(customer, score, at, survey="s-1", kind="NPS"):
    return {"event_id": str(uuid.uuid4()), "customer_id": customer, "source": "test", "channel": "EMAIL", "product": None,
            "segment": None, "attributes": {}, "occurred_at": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(at)),
            "type": "SurveyAnswered", "data": {"survey_id": survey, "kind": kind, "score": score, "comment": None}}


def test_explain_gives_the_number_and_its_events(installation):
    installation.start("journey")
    installation.start("kpi")
    now = time.time() - 60
    events = [answer("c-1", 10, now), answer("c-2", 0, now), answer("c-3", 9, now), answer("c-3", 3, now + 1),
              answer("old", 10, now - 40 * 86400)]
    file = installation.folder / "events.ndjson"
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    installation.succeed("import", file)
    key = ("nps", "all", "24h")
    assert eventually(lambda: installation.kpis().get(key, {}).get("n") == 3, 40, 1), installation.logs()

    lines = [json.loads(line) for line in installation.succeed("explain", "nps", "--window", "24h").stdout.splitlines()]
    end = lines.pop()
    assert end["computed"]["n"] == end["published"]["n"] == 3 == end["n"], end
    assert end["computed"]["value"] == end["published"]["value"]
    named = {line["event_id"] for line in lines}
    assert named == {event["event_id"] for event in events[:4]}  # the replaced answer too, with what took it back
    assert sum(line["n"] for line in lines) == 3 and sum(line["num"] for line in lines) == 1


def test_a_missed_deadline_is_nobody_elses_doing(make_installation):
    """What time alone did stands under the customer it happened to, not under the event that happened to move the clock."""
    installation = make_installation(**{"topics.partitions": 1})
    installation.start("journey")
    installation.start("kpi")
    now = time.time() - 60

    def ticket(customer, action, at):
        return {**answer(customer, 0, at), "type": "TicketChanged", "data": {"ticket_id": "t-" + customer, "action": action}}

    events = [ticket("patient", "OPENED", now - 7 * 3600), ticket("lucky", "OPENED", now - 6 * 3600), ticket("lucky", "AGENT_REPLIED", now - 5 * 3600),
              answer("bystander", 9, now - 3600)]
    file = installation.folder / "events.ndjson"
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    installation.succeed("import", file)
    assert eventually(lambda: installation.kpis().get(("sla_first_response", "all", "24h"), {}).get("n") == 2, 40, 1), installation.logs()
    *lines, end = [json.loads(line) for line in installation.succeed("explain", "sla_first_response", "--window", "24h").stdout.splitlines()]
    assert {(line["customer_id"], line["event_id"], line["n"], line["num"]) for line in lines} == {
        ("patient", None, 1, 0), ("lucky", events[2]["event_id"], 1, 1)}
    assert end["computed"]["value"] == end["published"]["value"] == 0.5


def test_a_value_is_found_however_it_is_encoded(installation):
    """In keys `,` `=` `%` within a value are percent-encoded; who asks need not know."""
    installation.start("journey")
    installation.start("kpi")
    product = "Bolts, 50% off"
    file = installation.folder / "events.ndjson"
    file.write_text("".join(json.dumps({**answer(f"c-{score}", score, time.time() - 60), "product": product}) + "\n" for score in (9, 10)))
    installation.succeed("import", file)
    key = "product=Bolts%2C 50%25 off"
    assert eventually(lambda: installation.kpis().get(("nps", key, "24h"), {}).get("n") == 2, 40, 1), installation.logs()
    for asked in (key, "product=" + product, "product=Bolts%2c%2050%25%20off"):
        done = installation.succeed("explain", "nps", "--window", "24h", "--by", asked)
        end = json.loads(done.stdout.splitlines()[-1])
        assert end["n"] == end["published"]["n"] == 2, (asked, done.stdout, done.stderr)
        assert (asked == key) == (key not in done.stderr)  # and the next time they do
    done = installation.succeed("explain", "nps", "--window", "24h", "--by", "product=Nuts")
    assert "nothing has ever counted for product=Nuts" in done.stderr and key in done.stderr, done.stderr
    done = installation.succeed("explain", "nps", "--window", "24h", "--by", "chanel=EMAIL")
    assert "channel=EMAIL" in done.stderr, done.stderr


def test_explain_says_what_it_wants(installation):
    wrong = installation.run("explain", "npx", "--window", "24h")
    assert wrong.returncode == 2 and "npx" in wrong.stderr
    wrong = installation.run("explain", "nps", "--window", "2d")
    assert wrong.returncode == 2 and "5m" in wrong.stderr


def test_what_is_not_published_is_not_explained_away(make_installation):
    installation = make_installation()
    for arguments, complaint in [(("referral_rate", "--window", "7d"), "referral_rate has 90d, not 7d"),
                                 (("activation", "--window", "5m"), "activation has 24h 7d 30d 90d, not 5m"),
                                 (("nps", "--window", "7d", "--by", "channel"), "'channel' is neither all nor NAME=VALUE")]:
        done = installation.run("explain", *arguments)
        assert done.returncode == 2 and complaint in done.stderr, done.stderr
    done = installation.run("explain", "nps", "--window", "7d", "--by", "chanel=EMAIL")
    assert done.returncode == 0 and "nothing has ever counted for chanel=EMAIL" in done.stderr, done.stderr
