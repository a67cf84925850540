"""The page as a care team lives with it: what happens to customers is there at once, what the team does comes back through
Kafka, what breaks is said and heals by itself, and no text that a stranger wrote ever runs."""

import calendar
import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
import uuid

import pytest
import requests
from installation import eventually, free_port, patience
from stage import ACT_TOKEN, angry
from test_bad_input import good, moment

EVIL = '<script>window.ran = 1</script><img src=x onerror="window.ran = 2">\'"><svg onload=window.ran=3>{{7*7}}'


@pytest.fixture
def page(stage, browser):
    """The hot list, with somebody at the desk who may act; what no page may ever do is checked at the end of every test."""
    browser.goto(stage.url + "#token=" + ACT_TOKEN)
    browser.look("localStorage.setItem('actor', 'Ada');")
    browser.goto(stage.url + "#/hot")
    live(browser)
    browser.do("seen.loads = 0; seen.console.length = 0;")
    yield browser
    assert browser.look("return window.violations;") == []
    assert browser.look("return window.ran ?? null;") is None
    seen = browser.do("return seen;")
    assert seen["errors"] == []
    assert [text for text in seen["console"] if "Content Security Policy" in text] == []
    assert [url for url in seen["requests"] if not url.startswith((stage.url, "data:"))] == []


def is_there(url):
    try:
        return requests.get(url + "healthz", timeout=5).ok
    except requests.RequestException:
        return False


def live(browser, seconds=30):
    browser.wait("document.getElementById('state')?.dataset.state === 'live'", seconds)


def row_of(customer):
    return "[...document.querySelectorAll('[data-case]')].find((row) => row.textContent.includes(%s))" % json.dumps(customer)


def state_of(customer):
    return row_of(customer) + "?.querySelector('.score small')?.textContent"


def test_an_angry_answer_is_on_the_hot_list_within_a_second(stage, page):
    """From before the POST to the row in the document, in the page's own eyes."""
    page.look("""
        window.appeared = {};
        new MutationObserver(() => { for (const row of document.querySelectorAll('[data-case] b')) window.appeared[row.textContent] ??= Date.now(); })
            .observe(document.getElementById('main'), {childList: true, subtree: true});""")
    took = []
    for number in range(12):
        customer = "angry-%d" % number
        begun = time.time()
        stage.post(angry(customer))
        page.wait(row_of(customer))
        took.append(page.look("return window.appeared[%s];" % json.dumps(customer)) - begun * 1000)
    took = sorted(took[2:])  # the first two warm caches and connections up
    print("\nposted to hot list: median %d ms, worst %d ms of %d" % (took[len(took) // 2], took[-1], len(took)))
    # A machine that is busy with other things is slow for everybody: then this says only that nothing hangs.
    allowed = 1000 if os.getloadavg()[0] < 2 * os.cpu_count() else 5000
    assert took[len(took) // 2] < allowed, took
    reasons = page.look("return %s.querySelector('.reasons').textContent;" % row_of("angry-11"))
    assert re.search(r"NPS", reasons, re.I) and re.search("law|legal", reasons, re.I), reasons
    page.picture("hot-light")


def test_what_the_team_does_comes_back_through_kafka(stage, page):
    stage.post(angry("acted-upon"))
    page.wait(row_of("acted-upon"))
    for verb, wanted in (("acknowledge", "acknowledged"), ("contact", "in progress")):
        begun = time.monotonic()
        page.look("%s.querySelector('[data-verb=%s]').click();" % (row_of("acted-upon"), verb))
        page.wait("%s === %s" % (state_of("acted-upon"), json.dumps(wanted)))
        print("\n%s came back in %d ms" % (verb, 1000 * (time.monotonic() - begun)))
    acted = [record for record in stage.installation.records("touchpoints") if record["customer_id"] == "acted-upon" and
             record["body"][0].endswith("CaseActed")]
    assert [(record["body"][1]["action"], record["body"][1]["actor"]) for record in acted] == [("ACKNOWLEDGED", "Ada"), ("CONTACTED", "Ada")]
    page.look("%s.querySelector('[data-verb=close]').click();" % row_of("acted-upon"))
    page.wait("!" + row_of("acted-upon"))
    assert page.do("return seen.loads;") == 0


def test_without_the_token_nothing_is_done(stage, page):
    stage.post(angry("guarded"))
    page.wait(row_of("guarded"))
    page.look("sessionStorage.removeItem('token'); %s.querySelector('[data-verb=acknowledge]').click();" % row_of("guarded"))
    page.wait("document.getElementById('token-dialog').open")
    page.picture("token-dialog")
    page.do("await page.fill('#token', %s); await page.click('#token-dialog button.primary');" % json.dumps(ACT_TOKEN))
    page.wait("%s === 'acknowledged'" % state_of("guarded"))


def test_by_keyboard_alone(stage, page):
    for number in range(3):
        stage.post(angry("keys-%d" % number))
        page.wait(row_of("keys-%d" % number))
    press = lambda key: page.do("await page.keyboard.press(%s);" % json.dumps(key))
    chosen = "document.querySelector('[data-case][aria-current=true]')"
    page.do("await page.locator('body').click({position: {x: 5, y: 5}});")
    press("j"); press("j"); press("k"); press("j")
    page.wait("Boolean(%s)" % chosen)
    for _ in range(40):  # to one that nobody has touched
        if page.look("return %s.querySelector('.score small').textContent;" % chosen) == "open":
            break
        press("j")
    case = page.look("return %s.dataset.case;" % chosen)
    mine = "document.querySelector('[data-case=%s]')" % json.dumps(case)
    press("a")
    page.wait("%s?.querySelector('.score small').textContent === 'acknowledged'" % mine)
    press("c")
    page.wait("%s?.querySelector('.score small').textContent === 'in progress'" % mine)
    press("x")
    page.wait("!%s" % mine)
    for key, view in (("1", "now"), ("3", "alerts"), ("4", "trends"), ("5", "scorecard"), ("2", "hot")):
        press(key)
        page.wait("location.hash === '#/%s'" % view)
    press("/")
    page.do("await page.keyboard.type('keys-1'); await page.keyboard.press('Enter');")
    page.wait("document.querySelector('h1')?.textContent === 'keys-1' && document.querySelector('.timeline li')")
    assert page.do("return seen.loads;") == 0


def test_no_text_of_a_stranger_ever_runs(stage, page):
    """Every field that a customer, a vendor or an agent can write into, in every view."""
    customer = "evil " + EVIL
    data = {"ticket_id": "t" + EVIL, "action": "OPENED", "team": EVIL, "agent": EVIL, "priority": "URGENT", "text": "lawyer! sue! fire! " + EVIL}
    answer = stage.post(
        angry(customer, "I will sue you, it caught fire. " + EVIL, source="shop", product="p" + EVIL, segment="s" + EVIL,
              region="r" + EVIL, attributes={"a" + EVIL: EVIL}),
        good(customer_id=customer, occurred_at=moment(), type="TicketChanged", data=data, product="p" + EVIL),
        good(customer_id=customer, occurred_at=moment(), type="ReviewPosted", data={"stars": 1, "text": EVIL}),
        good(customer_id=customer, occurred_at=moment(), type="SocialMention", data={"network": EVIL, "reach": 5000, "text": EVIL}),
        good(customer_id=customer, occurred_at=moment(), type="ProductReturned", data={"order_id": EVIL, "reason": EVIL}),
        good(customer_id=customer, occurred_at=moment(), type="DeviceReported", data={"device_id": "d" + EVIL, "code": "E7", "severity": "CRITICAL"}),
        good(customer_id=customer, occurred_at=moment(), type="ProductUsed", data={"feature": EVIL, "seconds": 5}),
        good(customer_id=customer, occurred_at=moment(), type="InterviewHeld", data={"interviewer": EVIL, "text": EVIL}))
    print("\nrejected:", answer["rejected"])
    page.wait(row_of("onerror"))
    assert "<script>" in page.look("return %s.textContent;" % row_of("onerror"))
    page.look("localStorage.setItem('actor', %s); %s.querySelector('[data-verb=acknowledge]').click();" % (json.dumps(EVIL[:100]), row_of("onerror")))
    page.wait("%s === 'acknowledged'" % state_of("onerror"))
    for view in ("now", "alerts", "trends/nps/product", "trends/nps/segment", "trends/nps/%3Cimg%20src%3Dx%3E", "scorecard", "hot"):
        page.look("location.hash = '#/%s';" % view)
        page.do("await page.waitForTimeout(400);")
        assert page.look("return document.querySelectorAll('main script, main img, main [onerror], main [onload]').length;") == 0, view
    page.look("location.hash = '#/customers/' + encodeURIComponent(%s);" % json.dumps(customer))
    page.wait("document.querySelectorAll('.timeline li').length >= 7")
    assert page.look("return document.querySelectorAll('main script, main img, main [onerror], main svg').length;") == 0
    assert "<script>window.ran = 1</script>" in page.look("return document.querySelector('.timeline').textContent;")
    page.picture("customer-hostile-texts")


def test_redis_killed_and_back(stage, page):
    """Empty, even: what the topics know comes back, and the page with it."""
    stage.post(angry("before-redis-died"))
    page.wait(row_of("before-redis-died"))
    stage.kill_redis()
    page.wait("!document.getElementById('banner').hidden")
    assert "Redis" in page.look("return document.getElementById('banner').textContent;")
    assert page.look("return Boolean(%s);" % row_of("before-redis-died")), "what was known stays to be seen"
    page.picture("redis-away")
    stage.start_redis()
    page.wait("document.getElementById('banner').hidden", 30)
    stage.post(angry("after-redis-died"))
    page.wait("%s && %s" % (row_of("after-redis-died"), row_of("before-redis-died")), 30)
    assert page.do("return seen.loads;") == 0


def test_dashboard_killed_and_back(stage, page):
    stage.kill_dashboard()
    page.wait("document.getElementById('state').dataset.state === 'disconnected'")
    page.picture("disconnected")
    stage.post(angry("while-nobody-looked"))
    stage.start_dashboard()
    live(page)
    page.wait(row_of("while-nobody-looked"))
    page.wait("document.getElementById('banner').hidden")
    assert page.do("return seen.loads;") == 0


BADGE = "Number(document.getElementById('alert-count').textContent || 0)"


def test_what_misses_its_target_is_said_until_it_meets_it(stage, page):
    answers = lambda score, count: [good(event_id=str(uuid.uuid4()), customer_id="rater-" + uuid.uuid4().hex[:8], occurred_at=moment(), channel="CHAT", product="p" + EVIL,
                                         data={"survey_id": "s-" + uuid.uuid4().hex[:8], "kind": "CSAT", "score": score, "comment": None}) for _ in range(count)]
    page.look("location.hash = '#/now';")
    open_before = page.look("return %s;" % BADGE)
    stage.post(*answers(2, 40))
    lines = "[...document.querySelectorAll('.missed li')].map((line) => line.textContent)"
    page.wait(lines + ".length === 3")
    said = page.look("return %s;" % lines)
    assert "misses its target of 4.50: 2.00 over 24h, since" in said[0] and "n 40, 95 % interval" in said[0], said
    assert any("Chat" in line for line in said) and any("<script>" in line for line in said), said
    page.picture("off-target")
    page.look("location.hash = '#/alerts/KPI_THRESHOLD';")
    page.wait("document.querySelectorAll('[data-alert]').length === 3")
    assert page.look("return document.querySelector('[data-alert] a').getAttribute('href');") == "#/trends/csat"
    page.look("location.hash = '#/now';")
    stage.post(*answers(5, 450))
    page.wait("document.querySelector('.missed').hidden")
    page.wait("%s === %d" % (BADGE, open_before))  # the next test counts what is open
    assert page.do("return seen.loads;") == 0


def broken(customer, severity="CRITICAL"):
    return good(event_id=str(uuid.uuid4()), customer_id=customer, occurred_at=moment(), type="DeviceReported",
                data={"device_id": "kettle-of-" + customer, "code": "E7", "severity": severity})


def test_what_is_open_is_seen_at_once_and_until_it_ends(stage, page):
    alert_of = lambda customer: "[...document.querySelectorAll('[data-alert]')].find((row) => row.textContent.includes(%s))" % json.dumps("kettle-of-" + customer)
    page.look("location.hash = '#/alerts/DEVICE';")
    before = page.look("return %s;" % BADGE)
    stage.post(broken("steaming"))
    page.wait(alert_of("steaming"))
    page.wait("%s === %d && !document.getElementById('alert-count').hidden" % (BADGE, before + 1))
    said = page.look("return %s.textContent;" % alert_of("steaming"))
    assert "critical" in said and "steaming · device" in said and "reports a critical state" in said and ("ago" in said or "just now" in said), said
    page.look("location.hash = '#/alerts/CHURN_RISK';")  # another kind
    page.wait("document.querySelector('.kinds [aria-current]')?.textContent.includes('churn') && !" + alert_of("steaming"))
    page.look("location.hash = '#/alerts';")
    page.wait(alert_of("steaming"))
    page.picture("alerts")
    page.look("%s.querySelector('a').click();" % alert_of("steaming"))
    page.wait("location.hash === '#/customers/steaming' && document.querySelector('.timeline li') && " + alert_of("steaming"))
    page.picture("customer-alerts")
    stage.post(broken("steaming", "INFO"))
    page.wait("!" + alert_of("steaming"))
    page.wait("(%s) === %d" % (BADGE, before))
    page.look("location.hash = '#/alerts';")
    page.wait("document.querySelector('.empty') && !" + alert_of("steaming"))
    assert page.do("return seen.loads;") == 0


def test_a_source_that_is_silent_stands_among_the_numbers(stage, page):
    """Neither a customer's nor a KPI's, and so without a link."""
    redis, key = stage.installation.redis, lambda name: stage.installation.redis_prefix + name
    at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - 1200))
    silent = {"alert_id": "silent", "revision": 1, "case_id": None, "rule": "data.source_silent", "kind": "DATA_QUALITY", "severity": "WARNING", "state": "OPEN",
              "customer_id": None, "ticket_id": None, "kpi": None, "dimension": "source=web" + "%3Cb%3Eshop", "score": 0, "opened_at": at, "due_at": None, "changed_at": at,
              "reasons": [{"code": "data.source_silent", "points": 0, "event_id": None, "text": "its longest pause of the last 3 days was 4 min"}],
              "text": "source=web%3Cb%3Eshop has sent nothing for 20 min", "owner": None, "actor": None, "historical": False}
    page.look("location.hash = '#/alerts';")
    redis.hset(key("alerts:open:json"), "silent", json.dumps(silent))
    redis.zadd(key("alerts:open:DATA_QUALITY"), {"silent": 10 ** 13})
    redis.publish(key("live:alerts"), json.dumps(silent))
    row = "document.querySelector('section:last-child [data-alert=silent]')"
    page.wait("Boolean(%s)" % row)
    said = page.look("return [...%s.querySelectorAll('p')].map((line) => line.textContent);" % row)
    assert said == ["web<b>shop · data quality", "has sent nothing for 20 min", "its longest pause of the last 3 days was 4 min"], said
    redis.delete(key("alerts:open:DATA_QUALITY"))
    redis.publish(key("live:alerts"), json.dumps(silent))
    page.wait("!" + row)


def test_of_more_alerts_than_are_shown_the_rest_is_counted(stage, page):
    """The gravest of the many stay to be seen, and what is about numbers is not crowded out by what is about customers."""
    page.look("location.hash = '#/alerts';")
    crowd = [broken("crowd-%02d" % number) for number in range(60)]
    stage.post(*crowd)
    rows, more = "document.querySelectorAll('section:first-child [data-alert]').length", "document.querySelector('.more').textContent"
    page.wait("%s === 50 && /and [1-9][0-9]* more/.test(%s)" % (rows, more))
    page.look("document.querySelector('.more button').click();")
    page.wait("%s >= 60 && %s === ''" % (rows, more))
    stage.post(*(broken("crowd-%02d" % number, "INFO") for number in range(60)))
    page.wait("![...document.querySelectorAll('[data-alert]')].some((row) => row.textContent.includes('crowd'))")


def test_how_it_looks(stage, page):
    """A filled page in both colour schemes and at a phone's width; nothing is cut off sideways."""
    stage.installation.succeed("generate", "--events", "6000", "--customers", "300", "--seed", "7")
    page.look("localStorage.setItem('window', '30d'); location.hash = '#/now';")
    page.do("await page.reload();")
    live(page)
    page.wait("document.querySelectorAll('.tile .verdict').length >= 3", 60)
    views = ("now", "hot", "alerts", "alerts/DEVICE", "trends/nps", "trends/nps/channel", "scorecard", "customers/angry-3")
    for scheme, width, height in (("light", 1280, 860), ("dark", 1280, 860), ("light", 390, 844)):
        page.do("await page.emulateMedia({colorScheme: '%s'}); await page.setViewportSize({width: %d, height: %d});" % (scheme, width, height))
        for view in views:
            page.look("location.hash = '#/%s';" % view)
            page.do("await page.waitForTimeout(600);")
            wide = page.look("return document.documentElement.scrollWidth - document.documentElement.clientWidth;")
            page.picture("%s-%s-%d" % (view.replace("/", "-"), scheme, width))
            assert wide <= 0, "%s is %d px wider than a window of %d" % (view, wide, width)


def test_an_empty_installation_says_what_to_do(empty_stage, browser):
    browser.goto(empty_stage.url)
    live(browser)
    browser.wait("[...document.querySelectorAll('.empty')].some((one) => !one.hidden && one.textContent.includes('collector'))")
    browser.picture("empty-now")
    browser.look("location.hash = '#/hot';")
    browser.wait("document.querySelector('.empty')?.textContent.includes('Nobody')")
    browser.look("location.hash = '#/alerts';")
    browser.wait("document.querySelector('.empty')?.textContent.includes('No alert is open')")
    assert browser.look("return document.getElementById('alert-count').hidden;")
    browser.picture("empty-alerts")
    browser.look("location.hash = '#/customers/nobody';")
    browser.wait("document.querySelector('.empty')?.textContent.includes('Nobody')")


def test_who_must_sign_in_does_and_sees_all_from_then_on(stage, browser):
    """A second dashboard over the same data, for those who know its token."""
    port = free_port()
    stage.installation.start("dashboard", name="guarded", settings={"dashboard.listen": "127.0.0.1:%d" % port, "dashboard.read_token": "for readers"})
    url = "http://127.0.0.1:%d/" % port
    assert eventually(lambda: is_there(url), 30), stage.installation.logs()
    stage.post(angry("behind-the-door"))
    browser.goto(url + "#/hot")
    browser.wait("document.getElementById('sign-in').open")
    assert "behind-the-door" not in browser.look("return document.body.textContent;")
    browser.picture("sign-in")
    browser.do("await page.fill('#read-token', 'a guess'); await page.click('#sign-in button');")
    browser.wait("document.getElementById('sign-in').open && document.getElementById('sign-in-refused').textContent.includes('not the token')")
    browser.do("await page.keyboard.press('Escape');")
    browser.wait("document.getElementById('sign-in').open")
    browser.do("await page.fill('#read-token', 'for readers'); await page.keyboard.press('Enter');")
    live(browser)
    browser.wait(row_of("behind-the-door"))
    stage.post(angry("came-later"))
    browser.wait(row_of("came-later"))  # the stream of events knows us, too
    browser.look("%s.querySelector('[data-verb=acknowledge]').click();" % row_of("behind-the-door"))
    browser.wait("document.getElementById('token-dialog').open")  # who reads does not act yet
    browser.do("await page.fill('#actor', 'Ada'); await page.fill('#token', %s); await page.click('#token-dialog button.primary');" % json.dumps(ACT_TOKEN))
    browser.wait("%s === 'acknowledged'" % state_of("behind-the-door"))
    browser.do("await page.reload();")
    browser.wait(row_of("came-later"))
    browser.picture("signed-in")
    browser.do("await page.click('#sign-out');")
    browser.wait("document.getElementById('sign-in').open && document.getElementById('state').dataset.state === 'signed out'")
    assert "came-later" not in browser.look("return document.body.textContent;")
    browser.do("await page.fill('#read-token', %s); await page.click('#sign-in button');" % json.dumps(ACT_TOKEN))
    browser.wait(row_of("came-later"))  # who may act reads
    assert browser.look("return window.violations;") == [] and browser.do("return seen.errors;") == []


def test_who_tries_too_many_tokens_is_told_so_and_for_how_long(stage, browser):
    port = free_port()
    stage.installation.start("dashboard", name="guessed", settings={"dashboard.listen": "127.0.0.1:%d" % port, "dashboard.read_token": "for readers"})
    url = "http://127.0.0.1:%d/" % port
    assert eventually(lambda: is_there(url), 30), stage.installation.logs()
    browser.goto(url)
    for i in range(11):
        browser.wait("document.getElementById('sign-in').open")
        browser.do("await page.fill('#read-token', 'guess %d'); await page.click('#sign-in button');" % i)
    browser.wait("/Too many wrong tokens .* for \\d+ seconds/.test(document.getElementById('sign-in-refused').textContent)")
    assert browser.look("return document.getElementById('sign-in').open;")


def test_hot_is_counted_apart_from_merely_open(stage, page):
    """A poor mark opens a case; hot is who has more reasons than that."""
    badge = "document.getElementById('hot-count').textContent"
    stage.post(angry("boiling"))
    page.wait(row_of("boiling"))
    hot = int(page.look("return %s;" % badge))
    stage.post(angry("lukewarm", comment=None))
    page.wait(row_of("lukewarm"))
    assert int(page.look("return %s;" % badge)) == hot
    order = page.look("return [...document.querySelectorAll('.cases > li')].map((row) => row.className === 'divider' ? '-' : row.textContent);")
    divider = order.index("-")
    assert any("boiling" in text for text in order[:divider]) and any("lukewarm" in text for text in order[divider:])


def test_a_customer_s_case_can_be_acted_upon_where_the_journey_is_read(stage, page):
    stage.post(angry("read-about"))
    page.wait(row_of("read-about"))
    page.look("location.hash = '#/customers/read-about';")
    page.wait("document.querySelector('.timeline li') && " + row_of("read-about"))
    page.look("%s.querySelector('[data-verb=acknowledge]').click();" % row_of("read-about"))
    page.wait("%s === 'acknowledged'" % state_of("read-about"))


def test_top_has_the_essentials_on_a_small_screen(stage, page):
    """24 lines of 80: KPIs, who is hot and, when there are any, shifts; none crowds the others out."""
    stage.post(angry("terminal"))
    page.wait(row_of("terminal"))
    hottest = page.look("return document.querySelector('[data-case] b').textContent;")
    wanted = ("nps", "hot tickets", hottest[:20])
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    top = subprocess.Popen([stage.installation.program, "top", "--config", str(stage.installation.config)], stdin=end, stdout=end,
                           stderr=subprocess.DEVNULL, env={**os.environ, "TERM": "xterm"})
    os.close(end)
    shown, deadline = "", time.monotonic() + 20 * patience()
    while time.monotonic() < deadline and not all(word in shown for word in wanted):
        if select.select([terminal], [], [], 0.5)[0]:
            shown += os.read(terminal, 65536).decode(errors="replace")
    os.write(terminal, b"q")
    assert all(word in shown for word in wanted), (wanted, shown[-3000:])
    assert top.wait(10 * patience()) == 0
    os.close(terminal)


def shift(kind, before, after, dimension="all", kpi="on_time_delivery", hours_ago=5):
    onset = time.strftime("%Y-%m-%dT%H:00:00.000Z", time.gmtime(time.time() - 3600 * hours_ago))
    return {"shift_id": uuid.uuid4().hex, "kpi": kpi, "dimension": dimension, "resolution": "HOUR", "kind": kind,
            "direction": "UP" if after > before else "DOWN", "good": None if kind == "VARIANCE" else after > before, "onset_at": onset, "detected_at": onset,
            "ended_at": None, "before": before, "after": after, "low": 0, "high": 1, "confidence": 0.97, "drivers": [], "revision": 0}


def test_how_steady_a_kpi_is_cannot_be_read_as_what_it_is(stage, page):
    """A spread and a slope are no values, and the later of two shifts does not hide the one that is about the value."""
    redis, prefix = stage.installation.redis, stage.installation.redis_prefix
    redis.delete(prefix + "shifts")
    parts = [{"dimension": "product=winter%20boots", "share": 0.874, "rate_effect": -0.127, "mix_effect": -0.001},
             {"dimension": "channel=EMAIL", "share": 0.61, "rate_effect": -0.09, "mix_effect": 0.001}, {"dimension": "region=north", "share": 0.4, "rate_effect": -0.05, "mix_effect": 0}]
    for one in ({**shift("LEVEL", 0.912, 0.766), "drivers": parts}, shift("VARIANCE", 0.032, 0.128, hours_ago=2),
                shift("VARIANCE", 0.021, 0.117, "channel=EMAIL"), shift("TREND", 0.0001, -0.0123, "channel=WEB")):
        onset_ms = calendar.timegm(time.strptime(one["onset_at"], "%Y-%m-%dT%H:%M:%S.000Z")) * 1000
        redis.xadd(prefix + "shifts", {**{name: "" if value is None else str(value) for name, value in one.items()}, "onset_at": onset_ms,
                                       "detected_at": onset_ms, "json": json.dumps(one)})
    redis.publish(prefix + "live:shifts", json.dumps(one))
    page.look("location.hash = '#/now';")
    page.wait("document.querySelectorAll('.changes li').length >= 3")
    lines = page.look("return [...document.querySelectorAll('.changes li')].map((line) => line.textContent).filter((line) => line.startsWith('On-time'));")
    page.picture("what-changed")
    assert [line for line in lines if "91.2 % → 76.6 %" in line and line.endswith(", 87 % from winter boots, 61 % from Email")], lines
    assert [line for line in lines if "Email" in line and "varies by ±12 points" in line and "was ±2.1 points" in line], lines
    assert [line for line in lines if "Web" in line and "falls by 1.2 points an hour" in line], lines
    assert set(re.findall(r"[\d.]+ %", " ".join(lines))) == {"91.2 %", "76.6 %", "87 %", "61 %"}, lines
    page.look("location.hash = '#/trends/on_time_delivery';")
    page.wait("document.querySelectorAll('.shifts li').length >= 4")
    lines = page.look("return [...document.querySelectorAll('.shifts li')].map((line) => line.textContent);")
    assert [line for line in lines if "spread" in line and "varies by ±13 points" in line and "was ±3.2 points" in line], lines
    assert set(re.findall(r"[\d.]+ %", " ".join(lines))) == {"91.2 %", "76.6 %", "87 %", "61 %", "97 %"}, lines
    top = stage.installation.succeed("top", "--once").stdout
    assert "91.2 % -> 76.6 %" in top and "varies by +-13 points" in top and "falls 1.2 points an hour" in top, top[-2000:]
    assert set(re.findall(r"[\d.]+ %", top.split("trend shifts")[1])) == {"91.2 %", "76.6 %"}, top[-2000:]


def test_what_has_given_way_or_is_usual_by_now_is_not_called_a_change(stage, page):
    """On the first page what stands, and is news; in Trends all of it, with its end where another shift of the series took its place."""
    redis, prefix = stage.installation.redis, stage.installation.redis_prefix
    redis.delete(prefix + "shifts")
    told = [shift("LEVEL", 0.99, 0.98, "channel=CHAT", hours_ago=24 * 9), {**shift("LEVEL", 0.97, 0.96, "channel=PHONE", hours_ago=24 * 9), "resolution": "DAY"},
            shift("LEVEL", 0.91, 0.71, hours_ago=50), shift("VARIANCE", 0.03, 0.13, hours_ago=40), shift("LEVEL", 0.71, 0.92, hours_ago=5)]
    for one in told:
        onset_ms = calendar.timegm(time.strptime(one["onset_at"], "%Y-%m-%dT%H:%M:%S.000Z")) * 1000
        redis.xadd(prefix + "shifts", {**{name: "" if value is None else str(value) for name, value in one.items()}, "onset_at": onset_ms,
                                       "detected_at": onset_ms, "json": json.dumps(one)})
    redis.publish(prefix + "live:shifts", json.dumps(one))
    page.look("location.hash = '#/now';")
    lines = "[...document.querySelectorAll('.changes li')].map((line) => line.textContent).filter((line) => line.startsWith('On-time'))"
    page.wait(lines + ".length === 2 && " + lines + ".some((line) => line.includes('71.0 % → 92.0 %'))")
    assert page.look("return " + lines + ".some((line) => line.includes('97.0 % → 96.0 %'));"), page.look("return " + lines)
    page.look("location.hash = '#/trends/on_time_delivery';")
    page.wait("document.querySelectorAll('.shifts li').length === 5")
    lines = page.look("return [...document.querySelectorAll('.shifts li')].map((line) => line.textContent);")
    assert [bool(re.search(r" from \d.* to \d", line)) for line in lines] == [False, False, True, False, False], lines  # the newest first
    assert "91.0 % → 71.0 % from " in lines[2] and "71.0 % → 92.0 % since " in lines[0], lines
    wide = page.look("const box = document.querySelector('.chart'); return box.scrollWidth - box.clientWidth;")
    assert wide <= 0, "the chart is %d px wider than its card" % wide


def test_a_course_carries_its_uncertainty_and_its_target(stage, page):
    """Wilson's interval around a share; around a mean one from the window's spread; nothing drawn beyond the scale."""
    redis, prefix = stage.installation.redis, stage.installation.redis_prefix
    hour = int(time.time()) // 3600 * 3600000
    now = {"value": 0.5, "n": 400, "numerator": 200, "denominator": 400, "low": 0.451, "high": 0.549, "low_n": False, "maturity": 1, "target": 0.6, "previous": None, "at": hour}
    redis.hset(prefix + "kpi:renewal_rate:30d", "all", json.dumps(now))
    redis.hset(prefix + "kpi:ces:30d", "all", json.dumps({**now, "value": 6.8, "low": 6.7, "high": 6.9, "target": None}))
    for ago in (3, 2, 1, 0):
        redis.xadd(prefix + "series:renewal_rate:all", {"value": "0.5", "n": "100"}, id="%d-0" % (hour - ago * 3600000))
        redis.xadd(prefix + "series:ces:all", {"value": "6.8", "n": "25"}, id="%d-0" % (hour - ago * 3600000))
    legend = "[...document.querySelectorAll('.u-legend .u-series')].filter((one) => one.offsetParent).map((one) => one.textContent)"
    for kpi, said, range_of_each in (("renewal_rate", "the target, 60.0 %", "40.4 % to 59.6 %"), ("ces", "", "6.40 to 7.00")):
        page.look("location.hash = '#/trends/%s';" % kpi)
        page.wait("document.querySelector('.grain')?.textContent.includes('shaded: the 95 %% interval') && document.querySelector('.grain').textContent.includes(%s)" % json.dumps(said))
        page.do("await page.locator('.chart .u-over').hover({position: {x: 300, y: 100}});")
        page.wait("%s.some((text) => text.includes(%s))" % (legend, json.dumps(range_of_each)))
        page.picture("uncertainty-" + kpi)
    page.look("location.hash = '#/scorecard';")
    page.wait("[...document.querySelectorAll('tbody tr')].some((row) => row.textContent.includes('Customer effort') && row.textContent.includes('6.70 to 6.90'))")


def test_what_has_not_been_answered_yet_is_not_called_empty(empty_stage, browser):
    """Connected, and the first answer on its way: neither «nothing measured» nor numbers, and the tiles stay where they are."""
    browser.do("await page.route('**/api/kpis*', (route) => { seen.held = route; });")
    browser.goto(empty_stage.url)
    live(browser)
    browser.wait("document.querySelectorAll('.tile').length && document.querySelector('main').getAttribute('aria-busy') === 'true'")
    said = "[...document.querySelectorAll('.empty')].some((one) => !one.hidden)"
    assert not browser.look("return %s;" % said)
    assert set(browser.look("return [...document.querySelectorAll('.tile')].map((one) => one.querySelector('.value').textContent);")) == {"…"}
    browser.picture("waiting-now")
    browser.do("while (!seen.held) await page.waitForTimeout(20); await seen.held.continue();")
    browser.wait(said)
    browser.wait("document.querySelector('main').getAttribute('aria-busy') === 'false'")
    assert browser.do("return seen.errors;") == []
