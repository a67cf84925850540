"""What comes through a pipe and what goes to a file: silence does not hold up the end, a full disk and a folder are told."""

import fcntl
import json
import os
import signal
import struct
import subprocess
import termios
import time

import pytest
from installation import eventually, patience

TOUCHPOINT = json.dumps({"event_id": "e-1", "customer_id": "c-1", "occurred_at": "2026-01-01T00:00:00Z", "source": "test", "channel": "WEB",
                         "type": "ReviewPosted", "data": {"stars": 3, "text": "x"}})


def unread(pipe):
    """Bytes that nobody has taken out of it yet."""
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0]


@pytest.mark.parametrize("arguments", [("import", "-", "--format", "ndjson"), ("sentiment",)])
def test_a_silent_pipe_does_not_hold_up_the_end(make_installation, arguments):
    """Somebody has begun a line and says no more: what was complete is taken, the rest is not taken for a broken record."""
    installation = make_installation()
    reading, writing = os.pipe()
    process = subprocess.Popen([installation.program, *arguments, "--config", installation.config], stdin=reading,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    os.close(reading)
    os.write(writing, (TOUCHPOINT + "\n" + TOUCHPOINT[:40]).encode())
    try:
        assert eventually(lambda: unread(writing) == 0, 60), "it does not read"
        time.sleep(2)  # into its next read: there is nothing to be seen of that from outside
        process.send_signal(signal.SIGTERM)
        out, complaint = process.communicate(timeout=5 * patience())
    finally:
        process.kill()
        os.close(writing)
    assert process.returncode == 0, complaint
    if arguments[0] == "import":
        assert "accepted 1, duplicate 0, rejected 0" in out, out + complaint


@pytest.mark.parametrize("arguments", [("settings",), ("--help",), ("import", "--help"), ("topics", "--asyncapi")])
def test_a_full_disk_is_told(make_installation, arguments):
    installation = make_installation(topics=False)
    with open("/dev/full", "w") as full:
        done = subprocess.run([installation.program, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr


def test_a_reader_who_has_seen_enough_is_no_failure(make_installation):
    installation = make_installation(topics=False)
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([installation.program, "settings"], stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_folder_is_no_text(make_installation, tmp_path):
    installation = make_installation(topics=False)
    done = installation.run("sentiment", tmp_path)
    assert done.returncode == 1
    assert str(tmp_path) in done.stderr and "Is a directory" in done.stderr
