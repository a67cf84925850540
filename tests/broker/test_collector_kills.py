"""The promise behind a 2xx: whatever dies next, the record is in Kafka."""

import random
import threading
import uuid

import requests
from installation import eventually
from test_bad_input import good
from test_collector import TOKEN, answers, arrived, collector

KILLS = 10
SENDERS = 4
RECORDS = 20


class Senders:
    """Posts batches until told to stop, and remembers what was answered 200."""

    def __init__(self, url):
        self.url, self.acknowledged, self.broken, self.stop = url, set(), 0, False
        self.threads = [threading.Thread(target=self._send) for _ in range(SENDERS)]
        for thread in self.threads:
            thread.start()

    def _send(self):
        while not self.stop:
            ids = [str(uuid.uuid4()) for _ in range(RECORDS)]
            batch = [good(event_id=id, customer_id="c%d" % random.randrange(500)) for id in ids]
            try:
                answer = requests.post(self.url + "/v1/touchpoints", json=batch, headers={"Authorization": "Bearer " + TOKEN}, timeout=20)
                if answer.status_code == 200:
                    assert answer.json() == {"accepted": RECORDS, "rejected": []}, answer.text
                    self.acknowledged.update(ids)
                    continue
            except requests.RequestException:
                self.broken += 1
            threading.Event().wait(0.05)  # away, or not there yet: a sender that would not wait would take the machine from who starts

    def end(self):
        self.stop = True
        for thread in self.threads:
            thread.join(30)


def test_what_was_answered_is_there_after_every_kill(make_installation):
    installation = make_installation()
    url, process = collector(installation)
    assert eventually(lambda: answers(url + "/readyz"), 20), installation.logs()
    port = url.rsplit(":", 1)[1]
    senders = Senders(url)
    try:
        for _ in range(KILLS):
            before = len(senders.acknowledged)
            assert eventually(lambda: len(senders.acknowledged) > before + RECORDS, 30, 0.05), installation.logs()
            process.kill()
            process.wait(10)
            process = installation.start("ingest", settings={"ingest.listen": "127.0.0.1:" + port, "ingest.token": TOKEN})
    finally:
        senders.end()
    assert senders.broken > 0  # the kills were felt
    missing = senders.acknowledged - {str(id) for id in arrived(installation)}
    assert not missing, "%d of %d answered 200 are not in Kafka" % (len(missing), len(senders.acknowledged))
    assert installation.stop(process) == 0
