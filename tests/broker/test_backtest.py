"""`backtest cases` on a handful of customers whose stories are known."""

import json

from test_bad_input import good, moment


def test_backtest_cases_ranks_by_the_first_score_and_judges_by_what_came_later(installation):
    lines = []

    def tell(customer, days_ago, type, **data):
        lines.append(good(customer_id=customer, occurred_at=moment(days=days_ago), type=type, data=data))

    def answer(customer, days_ago, kind, score, comment=None):
        tell(customer, days_ago, "SurveyAnswered", survey_id="s%s" % days_ago, kind=kind, score=score, comment=comment)

    def ticket(customer, days_ago, action):
        tell(customer, days_ago, "TicketChanged", ticket_id="t-" + customer, action=action)

    answer("escalated", 100, "NPS", 0, "I will see my lawyer about this.")
    ticket("escalated", 99, "OPENED")
    ticket("escalated", 98, "ESCALATED")
    answer("again", 100, "NPS", 1)
    answer("again", 95, "NPS", 2)
    tell("reconciled", 100, "ReviewPosted", stars=1, text="")
    tell("reconciled", 94, "ReviewPosted", stars=5, text="")
    for days_ago in (60, 10):
        tell("reconciled", days_ago, "ProductUsed", feature="f", seconds=1)
    answer("gone", 100, "CES", 1)
    tell("gone", 97, "SubscriptionChanged", subscription_id="s", action="CANCELLED")
    answer("too early to say", 5, "NPS", 0)
    answer("content", 100, "NPS", 10)
    tell("content", 0, "ProductUsed", feature="f", seconds=1)
    file = installation.folder / "stories.ndjson"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    installation.succeed("import", file)
    found = json.loads(installation.succeed("backtest", "cases").stdout)
    assert {name: found[name] for name in ("cases", "went_wrong", "escalated", "left", "bad_score")} == {
        "cases": 4, "went_wrong": 3, "escalated": 1, "left": 3, "bad_score": 1}, found  # two fell silent
    assert found["precision_at"] == {"1": 1, "all": 0.75} and abs(found["auc"] - 2 / 3) < 1e-9, found  # gone stood below reconciled
