"""A network of its own for some of the processes, with a cable to the services that can be pulled: nothing is answered then, nothing
refused. Needs the right to make network namespaces (root, mostly)."""

import pathlib
import random
import signal
import subprocess
import sys
import uuid

import pytest
from installation import eventually
from relay import Relay, place

RELAY = pathlib.Path(__file__).with_name("relay.py")


def ip(*arguments):
    return subprocess.run(["ip", *arguments], capture_output=True, text=True)


class Apart:
    """`places` ("host:port") are to be reached in there under the same names: relays on both ends of the cable carry the bytes, those on
    our end of the kind `relay`."""

    def __init__(self, places, relay=Relay):
        self.name, subnet = "ts" + uuid.uuid4().hex[:8], "10.%d.%d." % (random.randrange(64, 128), random.randrange(1, 255))
        here, there = subnet + "1", subnet + "2"
        self.relays, self.other_end = [], None
        if ip("netns", "add", self.name).returncode != 0:
            pytest.skip("may not make a network namespace here")
        self.within = ("ip", "netns", "exec", self.name)
        for command in (("link", "add", self.name + "a", "type", "veth", "peer", "name", self.name + "b", "netns", self.name),
                        ("addr", "add", here + "/24", "dev", self.name + "a"), ("link", "set", self.name + "a", "up"),
                        ("-n", self.name, "addr", "add", there + "/24", "dev", self.name + "b"),
                        ("-n", self.name, "link", "set", self.name + "b", "up"), ("-n", self.name, "link", "set", "lo", "up")):
            done = ip(*command)
            if done.returncode != 0:
                self.finish()
                pytest.fail("ip %s: %s" % (" ".join(command), done.stderr))
        arguments = []
        for one in places:
            port = place(one)[1]
            self.relays.append(relay((here, port), place(one)))
            arguments += ["127.0.0.1:%d" % port, "%s:%d" % (here, port)]
        self.other_end = subprocess.Popen([*self.within, sys.executable, str(RELAY), *arguments])
        listening = lambda: ip("netns", "exec", self.name, "ss", "-ltn").stdout
        assert eventually(lambda: all(one.rsplit(":", 1)[1] in listening() for one in places), 20)

    def pull(self):
        assert ip("link", "set", self.name + "a", "down").returncode == 0

    def plug(self):
        assert ip("link", "set", self.name + "a", "up").returncode == 0

    def finish(self):
        if self.other_end:
            self.other_end.send_signal(signal.SIGKILL)
            self.other_end.wait(10)
        for relay in self.relays:
            relay.close()
        ip("link", "del", self.name + "a")
        ip("netns", "del", self.name)
