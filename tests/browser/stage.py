"""The whole product for one file of browser tests: every service, a Redis of its own that may be killed."""

import subprocess
import uuid

import redis
import requests
from installation import Installation, eventually, free_port
from test_bad_input import good, moment

INGEST_TOKEN, ACT_TOKEN = "token-of-the-collector", "token-of-the-agents"


class Stage:
    def __init__(self, make, folder):
        self.folder = folder
        self.redis_port, self.ingest_port, self.page_port = free_port(), free_port(), free_port()
        self.start_redis()
        self.installation = make(**{
            "redis.address": "127.0.0.1:%d" % self.redis_port,
            "ingest.listen": "127.0.0.1:%d" % self.ingest_port, "ingest.token": INGEST_TOKEN,
            "dashboard.listen": "127.0.0.1:%d" % self.page_port, "dashboard.token": ACT_TOKEN,
            "kpi.alerts.dimensions": ["all", "channel", "product"]})
        self.installation.redis = redis.Redis("127.0.0.1", self.redis_port, decode_responses=True)
        self.route = [self.installation.start(role) for role in ("ingest", "journey", "kpi", "sink")]
        self.start_dashboard()
        self.url = "http://127.0.0.1:%d/" % self.page_port
        self.session = requests.Session()
        self.session.headers["Authorization"] = "Bearer " + INGEST_TOKEN
        assert eventually(self.is_ready, 40), self.installation.logs()

    def start_redis(self):
        self.redis = subprocess.Popen(["redis-server", "--bind", "127.0.0.1", "--port", str(self.redis_port), "--save", "",
                                       "--appendonly", "no", "--dir", str(self.folder)], stdout=subprocess.DEVNULL)

    def kill_redis(self):
        self.redis.kill()
        self.redis.wait(5)

    def start_dashboard(self):
        self.dashboard = self.installation.start("dashboard")

    def kill_dashboard(self):
        self.dashboard.kill()
        self.dashboard.wait(5)
        self.installation.running.remove(self.dashboard)

    def is_ready(self):
        try:
            return (requests.get("http://127.0.0.1:%d/readyz" % self.ingest_port, timeout=5).ok and
                    requests.get(self.url + "api/hot", timeout=5).ok)
        except requests.RequestException:
            return False

    def post(self, *events):
        answer = self.session.post("http://127.0.0.1:%d/v1/touchpoints" % self.ingest_port, json=list(events), timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def finish(self):
        self.redis.kill()
        self.redis.wait(5)


def angry(customer, comment="I will sue you, this thing caught fire and nobody answers. I am cancelling.", **changes):
    """An NPS answer of now that makes its customer hot at once."""
    return good(event_id=str(uuid.uuid4()), customer_id=customer, occurred_at=moment(),
                data={"survey_id": "s-" + uuid.uuid4().hex[:8], "kind": "NPS", "score": 0, "comment": comment}, **changes)
