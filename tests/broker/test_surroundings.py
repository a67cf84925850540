"""What the program finds around itself where it is started: closed streams, few descriptors, a terminal that goes away."""

import contextlib
import os
import re
import signal
import subprocess

import pytest
from installation import eventually, patience, tail


def run_in_shell(installation, line, timeout=60):
    """`line` with $TOUCHSTREAM and $CONFIG; stdout and stderr together."""
    return subprocess.run(["bash", "-c", line], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout,
                          env={"TOUCHSTREAM": installation.program, "CONFIG": str(installation.config), "PATH": "/usr/bin:/bin"})


def test_no_standard_input(installation):
    """It would read from whatever got its number: a socket, for ever."""
    done = run_in_shell(installation, "exec $TOUCHSTREAM import - --config $CONFIG <&-")
    assert done.returncode == 1 and "Bad file descriptor" in done.stdout, done.stdout


def test_no_standard_error(installation):
    """The log must not go to Kafka."""
    process = subprocess.Popen(["bash", "-c", "exec %s run journey kpi sink --config %s --log-level debug <&- >&- 2>&-" % (installation.program, installation.config)])
    try:
        installation.succeed("generate", "--events", 500, "--customers", 50, "--seed", 3)
        assert eventually(lambda: installation.redis.hgetall(installation.redis_prefix + "kpi:active_customers:90d"), 60)
        links = subprocess.run(["ls", "-l", "/proc/%d/fd" % process.pid], capture_output=True, text=True, check=True).stdout
        assert len(re.findall(r" [012] -> /dev/null", links)) == 3, links
        process.send_signal(signal.SIGTERM)
        assert process.wait(20 * patience()) == 0
    finally:
        process.kill()


def test_nobody_reads_its_log(installation):
    """A pager that stands still, a supervisor that hangs: the work goes on, and once somebody reads again it is said how much is missing."""
    reader, writer = os.pipe()
    process = subprocess.Popen([installation.program, "run", "journey", "kpi", "sink", "--config", str(installation.config)], stdout=writer, stderr=writer)
    try:
        fill(writer)
        installation.succeed("generate", "--events", 500, "--customers", 50, "--seed", 3)
        assert eventually(lambda: installation.redis.hgetall(installation.redis_prefix + "kpi:active_customers:90d"), 60)
        assert set(os.read(reader, 1 << 20)) == set(b".")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20 * patience()) == 0
        assert b"lines were dropped" in os.read(reader, 1 << 20)
    finally:
        process.kill()
        os.close(writer)
        os.close(reader)


def fill(writer):
    """To the last byte. The flag is of the pipe's end, which the other process shares: it must be as it was before."""
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"." * 4096)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b".")
    os.set_blocking(writer, True)


@pytest.mark.parametrize("command", ["inspect touchpoints", "settings"])
def test_no_standard_output(installation, command):
    installation.succeed("generate", "--events", 10, "--customers", 5, "--seed", 3)
    done = run_in_shell(installation, "exec $TOUCHSTREAM %s --config $CONFIG 2>/dev/stdout >&-" % command)
    assert done.returncode == 1


def test_a_terminal_that_is_closed_ends_it_cleanly(installation):
    process = installation.start("journey", within=["env", "--default-signal=HUP"])  # whoever runs these tests may be under nohup
    assert eventually(lambda: "partition recovered" in process.log.read_text(), 30), tail(process.log)
    assert installation.stop(process, signal.SIGHUP) == 0, tail(process.log)
    assert "msg=stopped" in process.log.read_text()


def test_under_nohup_it_stays(installation):
    process = installation.start("journey", within=["nohup"])
    assert eventually(lambda: "partition recovered" in process.log.read_text(), 30), tail(process.log)
    process.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    assert installation.stop(process) == 0


def test_it_takes_the_descriptors_it_may_have(installation):
    """A shell's 1,024 are fewer than the connections that the settings allow."""
    process = installation.start("journey", within=["prlimit", "--nofile=256:4096"])
    assert eventually(lambda: "partition recovered" in process.log.read_text(), 30), tail(process.log)
    with open("/proc/%d/limits" % process.pid) as limits:
        assert re.search(r"Max open files +4096 +4096", limits.read())
    installation.stop(process)
