"""A dashboard that tells about customers to those alone who know its token: programs, browsers, and nobody else."""

import http.cookies
import json

import pytest
import requests

from installation import eventually, free_port

READ, ACT = "what-readers-know", "what-agents-know"


class Page:
    def __init__(self, installation, **settings):
        self.port, self.installation = free_port(), installation
        self.url = "http://127.0.0.1:%d/" % self.port
        installation.start("dashboard", name="dashboard-%d" % self.port, settings={"dashboard.listen": "127.0.0.1:%d" % self.port, **settings})
        assert eventually(self.is_there, 30), self.installation.logs()

    def is_there(self):
        try:
            return requests.get(self.url + "healthz", timeout=5).ok
        except requests.RequestException:
            return False

    def get(self, path, token=None, session=None, **headers):
        if token:
            headers["Authorization"] = "Bearer " + token
        return (session or requests).get(self.url + path, headers=headers, timeout=10, stream=path == "api/stream")

    def sign_in(self, token, session, **headers):
        return session.post(self.url + "api/session", json={"token": token}, headers=headers, timeout=10)

    def act(self, token=None, session=None):
        headers = {"Authorization": "Bearer " + token} if token else {}
        return (session or requests).post(self.url + "api/cases/nobody/acknowledge", json={}, headers=headers, timeout=10)


@pytest.fixture(scope="module")
def page(shared_installation):
    return Page(shared_installation, **{"dashboard.read_token": READ, "dashboard.token": ACT})


QUESTIONS = ["api/kpis", "api/series?kpi=nps", "api/hot", "api/alerts", "api/alerts/open", "api/shifts", "api/off_target", "api/scorecard",
             "api/health", "api/customers/somebody", "api/stream"]


@pytest.mark.parametrize("path", QUESTIONS)
def test_nothing_is_told_to_who_does_not_know_the_token(page, path):
    for token in (None, "wrong", READ[:-1], READ + "x"):
        answer = page.get(path, token)
        assert answer.status_code == 401 and answer.headers["WWW-Authenticate"].startswith("Bearer"), path
        assert answer.json()["error"]["code"] == "unauthorized" and "read token" in answer.json()["error"]["reason"]
    for token in (READ, ACT):
        answer = page.get(path, token)
        assert answer.status_code == (404 if "customers" in path else 200), (path, answer.text)
        answer.close()


def test_the_page_itself_is_for_everybody_so_that_one_can_sign_in(page):
    for path in ("", "app.js", "style.css", "healthz"):
        assert page.get(path).status_code == 200


def test_a_browser_signs_in_and_out(page):
    session = requests.Session()
    assert page.sign_in("wrong", session).status_code == 401 and not session.cookies
    answer = page.sign_in(READ, session)
    assert answer.json() == {"may_act": False}
    cookie = http.cookies.SimpleCookie(answer.headers["Set-Cookie"])["touchstream_%d" % page.port]
    assert cookie["httponly"] and cookie["samesite"] == "Strict" and cookie["max-age"] == "43200" and not cookie["secure"]
    assert READ not in cookie.value
    for path in QUESTIONS:
        page.get(path, session=session).close()
        assert page.get(path, session=session).status_code in (200, 404)
    assert page.get("api/session", session=session).json() == {"sign_in": True}
    session.delete(page.url + "api/session", timeout=10)
    assert page.get("api/hot", session=session).status_code == 401
    assert page.get("api/session", session=session).status_code == 401


def test_a_cookie_among_others_is_found_and_a_made_up_one_is_not(page):
    session = requests.Session()
    page.sign_in(READ, session)
    ours = "touchstream_%d=%s" % (page.port, session.cookies["touchstream_%d" % page.port])
    for header, wanted in (("a=b; %s; c=d" % ours, 200), (ours + ";", 200), ("x" + ours, 401), (ours[:-1], 401), (ours.replace("=", "=9", 1), 401),
                           ("touchstream_%d=" % page.port, 401), (";;;=", 401)):
        assert page.get("api/hot", Cookie=header).status_code == wanted, header


def test_who_acts_needs_more_than_a_cookie(page):
    session = requests.Session()
    assert page.sign_in(ACT, session).json() == {"may_act": True}
    assert page.get("api/hot", session=session).status_code == 200
    assert page.act(session=session).status_code == 401
    assert page.act(READ).status_code == 401
    assert page.act(ACT).status_code == 404  # there is no such case


def test_another_site_cannot_sign_a_visitor_in(page):
    answer = requests.post(page.url + "api/session", data=json.dumps({"token": READ}), headers={"Content-Type": "text/plain"}, timeout=10)
    assert answer.status_code == 400 and "Set-Cookie" not in answer.headers


def test_behind_a_proxy_with_https_the_cookie_is_for_https_alone(page):
    answer = page.sign_in(READ, requests.Session(), **{"X-Forwarded-Proto": "https"})
    assert "; Secure" in answer.headers["Set-Cookie"]


def test_any_dashboard_with_the_token_takes_the_session_and_a_new_token_ends_it(shared_installation, page):
    session = requests.Session()
    page.sign_in(READ, session)
    value = session.cookies["touchstream_%d" % page.port]
    for token, wanted in ((READ, 200), ("a-new-one", 401)):
        other = Page(shared_installation, **{"dashboard.read_token": token})
        assert other.get("api/hot", Cookie="touchstream_%d=%s" % (other.port, value)).status_code == wanted


def test_a_session_ends(shared_installation):
    page = Page(shared_installation, **{"dashboard.read_token": READ, "dashboard.session": "1m"})
    answer = page.sign_in(READ, requests.Session())
    assert "Max-Age=60;" in answer.headers["Set-Cookie"]  # that it holds no longer: tests/unit/dashboard/access.c


def test_without_a_token_for_acting_readers_act_and_nobody_else(shared_installation):
    page, session = Page(shared_installation, **{"dashboard.read_token": READ}), requests.Session()
    assert page.act().status_code == 401
    page.sign_in(READ, session)
    assert page.act(session=session).status_code == 404


def test_without_a_token_everybody_reads(shared_installation):
    page = Page(shared_installation)
    assert page.get("api/hot").status_code == 200
    assert page.get("api/session").json() == {"sign_in": False}


def refused(answer):
    wait = int(answer.headers.get("Retry-After", 0))
    error = answer.json()["error"]
    return answer.status_code == 429 and 0 < wait <= 60 and error["code"] == "too_many_guesses" and "%d s" % wait in error["reason"]


def guess(page, until, **how):
    """Wrong tokens, each another, until one is answered that none is looked at."""
    for i in range(until):
        if refused(page.get("api/hot", "guess %d" % i, **how)):
            return i
    raise AssertionError("%d guesses, and on it goes" % until)


def test_who_guesses_is_not_listened_to_after_some(shared_installation):
    page = Page(shared_installation, **{"dashboard.read_token": READ, "dashboard.token": ACT})
    early = requests.Session()
    assert page.sign_in(READ, early).status_code == 200
    assert guess(page, 12) == 10

    # Whichever way the next guess comes, it is not looked at: not even the right one, or that would be told.
    assert refused(page.get("api/hot", READ)) and refused(page.act("another")) and refused(page.act(ACT))
    assert refused(page.sign_in("another", requests.Session())) and refused(page.sign_in(READ, requests.Session()))
    assert refused(page.get("api/hot", "another", **{"X-Forwarded-For": "192.0.2.7", "Forwarded": "for=192.0.2.7"}))

    # But whoever is signed in notices nothing, and nobody is answered otherwise than before who shows nothing, or what was wrong before.
    assert page.get("api/hot", session=early).status_code == 200
    assert page.get("api/hot").status_code == 401 and page.get("api/hot", "guess 3").status_code == 401
    assert page.get("").status_code == 200 and page.get("healthz").status_code == 200

    log = (shared_installation.folder / ("dashboard-%d.log" % page.port)).read_text()
    told = [line for line in log.splitlines() if "guess" in line]
    assert len(told) == 1 and "127.0.0.1" in told[0], log
    assert READ not in log and ACT not in log and "guess 3" not in log


def test_cookies_are_guesses_too_but_keep_nobody_from_signing_in(shared_installation):
    """As of many browsers behind one proxy, whose sessions ended with the token: the eleventh still signs in."""
    page = Page(shared_installation, **{"dashboard.read_token": READ, "dashboard.token": ACT})
    cookies = ["touchstream_%d=9999999999.%d.00" % (page.port, i) for i in range(12)]
    assert [page.get("api/hot", Cookie=cookie).status_code for cookie in cookies] == 10 * [401] + 2 * [429]
    assert refused(page.get("api/session", Cookie=cookies[-1])) and refused(page.get("api/stream", Cookie=cookies[-1]))
    assert page.get("api/hot", Cookie=cookies[0]).status_code == 401
    session = requests.Session()
    assert page.sign_in(READ, session).status_code == 200 and page.get("api/hot", session=session).status_code == 200
    assert page.get("api/hot", READ, Cookie=cookies[-1]).status_code == 200


def test_one_wrong_token_sent_again_and_again_is_one_guess(shared_installation):
    page = Page(shared_installation, **{"dashboard.read_token": READ, "dashboard.token": ACT})
    for _ in range(50):  # a program that nobody has told of the new token
        assert page.get("api/hot", "the old token").status_code == 401
    for _ in range(50):  # a reader who is no actor
        assert page.act(READ).status_code == 401
    assert page.get("api/hot", READ).status_code == 200


def test_a_token_for_acting_is_not_found_by_guessing_where_everybody_reads(shared_installation):
    page = Page(shared_installation, **{"dashboard.token": ACT})
    for i in range(10):
        assert page.sign_in("guess %d" % i, requests.Session()).json() == {"may_act": False}
    assert refused(page.sign_in(ACT, requests.Session())) and refused(page.act(ACT))
    assert page.get("api/hot").status_code == 200


def test_who_lets_everybody_read_is_told(make_installation):
    def check(**settings):
        return make_installation(**{"dashboard.listen": "0.0.0.0:%d" % free_port(), **settings}).run("check").stdout

    assert "dashboard.read_token" in check()
    only_encrypted = check(**{"dashboard.read_token": READ})
    assert "dashboard.tls_certificate_location" in only_encrypted and "without a password" not in only_encrypted
