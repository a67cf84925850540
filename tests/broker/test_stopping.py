"""Whoever asks a stage to stop gets it stopped, at whatever moment of its start: while it connects, while the group gathers, while a
partition is offered and not taken yet, while entries are loaded."""

import signal
import socket
import time

import pytest
from installation import patience, tail

STEP_SECONDS, STEPS = 0.02, 20


@pytest.mark.parametrize("role, threads", [("journey", 1), ("kpi", 1), ("journey", 8)])
def test_a_stage_ends_soon_whenever_it_is_asked_to(make_installation, role, threads):
    """Eight threads: of four partitions some get none, and each waits for the others to join."""
    installation = make_installation(**{"engine.threads": threads})
    slow = []
    for step in range(2, 2 + STEPS):
        process = installation.start(role, name="%s-%d" % (role, step))
        time.sleep(step * STEP_SECONDS)
        asked_at = time.monotonic()
        code = installation.stop(process, signal.SIGTERM, 40)
        took = time.monotonic() - asked_at
        log = process.log.read_text()
        is_early = code == -signal.SIGTERM and not log  # before it was there to be asked
        if took > 3 * patience() or "left behind" in log or (code != 0 and not is_early):
            slow.append((step * STEP_SECONDS, round(took, 1), code, log[-300:]))
    assert not slow, "moments after the start, seconds taken, exit codes, and the ends of their logs: %r" % slow


def test_making_topics_ends_soon_when_it_is_asked_to(make_installation):
    """A registry that takes the question and never answers; Kafka waits for an answer in the same slices."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        installation = make_installation(topics=False, **{"registry.url": "http://127.0.0.1:%d" % silent.getsockname()[1]})
        process = installation.start("topics")
        silent.settimeout(60)
        connection, _ = silent.accept()
        with connection:
            connection.recv(1)
            asked_at = time.monotonic()
            assert installation.stop(process) == 0
            assert time.monotonic() - asked_at < 4 * patience(), tail(process.log)
            assert "stopped early" in process.log.read_text(), tail(process.log)
