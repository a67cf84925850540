"""The Redis sink against what Redis can take: the very commands it sends, by redis-benchmark and sent again as one pipeline.

The sink runs once through a proxy that keeps what it sends, and once straight, measured. Then redis-benchmark runs each kind of
command, pipelined, with the arguments of some that were sent (of each size; keys varied at random); by their numbers that gives the
time the same commands take it. Last, all that was kept is sent again without waiting for any answer. Both take their own
client's work on another core out of Redis's way, as the sink does. Redis is single-threaded: its CPU is given beside the wall time."""
import collections
import re
import socket
import subprocess
import threading
import time

import redis

from benches.common import cpu_of, number

SIZES = 8
TOPICS = ("kpis", "alerts", "touchpoints.enriched", "journeys", "followups", "trend.shifts")


class Recorder:
    """A proxy in front of Redis that keeps what clients say."""

    def __init__(self, address):
        self.target = (address.rsplit(":", 1)[0], int(address.rsplit(":", 1)[1]))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.heard = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(self.target)
            self.heard.append(bytearray())
            threading.Thread(target=self.pump, args=(client, server, self.heard[-1]), daemon=True).start()
            threading.Thread(target=self.pump, args=(server, client, None), daemon=True).start()

    def said(self):
        """What each connection said, one after the other: the sink has several, and their commands must not be torn."""
        return b"".join(self.heard)

    def pump(self, source, target, kept):
        try:
            while data := source.recv(1 << 20):
                if kept is not None:
                    kept += data
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def commands_of(said):
    """The commands in a stream of RESP: (name, bytes, arguments' places)."""
    at, end = 0, len(said)
    while at < end:
        line = said.index(b"\r\n", at)
        count, begin, at, places = int(said[at + 1:line]), at, line + 2, []
        for _ in range(count):
            line = said.index(b"\r\n", at)
            size = int(said[at + 1:line])
            places.append((line + 2, line + 2 + size))
            at = line + 4 + size
        yield begin, at, places


def arguments_of(said, places):
    return [bytes(said[start:stop]) for start, stop in places]


def forget(database, prefix):
    keys = list(database.scan_iter(prefix + "*", count=10000))
    for i in range(0, len(keys), 1000):
        database.unlink(*keys[i:i + 1000])
    time.sleep(1)


def redis_cpu(database):
    used = database.info("cpu")
    return used["used_cpu_user"] + used["used_cpu_sys"]


def drain(bench, database, prefix, ends, address):
    """The sink from an empty database to the topics' ends: wall, its CPU, Redis's CPU. The wall time begins with the first batch."""
    forget(database, prefix)
    names = [prefix + "position:%s:%d" % (topic, i) for topic in TOPICS for i in range(len(ends[topic]))]
    wanted = [last for topic in TOPICS for last in ends[topic]]
    sink = bench.start("sink", bench.config(prefix, redis__address=address))
    began, deadline = None, time.time() + 600
    try:
        while True:
            now, places = time.time(), database.mget(names)
            if began is None and any(places):
                began, first, sink_cpu, server_cpu = now, sum(int(place or 0) for place in places), cpu_of(sink.pid), redis_cpu(database)
            if all(int(place or 0) >= last for place, last in zip(places, wanted)):
                break
            if sink.poll() is not None or now > deadline:
                raise RuntimeError("the sink did not get through; logs in %s" % bench.folder)
            time.sleep(0.02)
        done = sum(wanted) - first
        return {"wall": time.time() - began, "cpu": cpu_of(sink.pid) - sink_cpu, "redis": redis_cpu(database) - server_cpu, "share": done / sum(wanted)}
    finally:
        bench.stop(sink)


def like_it(found, said):
    """Commands of one kind by size, in groups, each with one of its middle as an example: a revised series may hold a hundred hours, or one."""
    found = sorted(found, key=lambda one: one[0])
    groups = SIZES if len(found) >= 20 * SIZES else 1
    for i in range(groups):
        group = found[len(found) * i // groups:len(found) * (i + 1) // groups]
        yield len(group), arguments_of(said, group[len(group) // 2][1])


def time_of(bench, database, address, name, arguments, count):
    """Of one command: wall, Redis's CPU."""
    host, port = address.rsplit(":", 1)
    place = 3 if name == b"EVAL" else 1
    if name != b"PUBLISH":
        arguments[place] = b"bench-rb:" + arguments[place] + b":__rand_int__"
    if name == b"XADD" and arguments[4] != b"*":
        arguments[4] = b"*"
    before, began = redis_cpu(database), time.time()
    subprocess.run(["redis-benchmark", "-h", host, "-p", port, "-c", "1", "-P", "1000", "-n", str(count), "-r", "20000", "-q", *arguments], check=True,
                   stdout=subprocess.DEVNULL, timeout=300)
    return (time.time() - began) / count, (redis_cpu(database) - before) / count


def by_redis_benchmark(bench, database, address, said):
    """Seconds, wall and Redis's CPU, that redis-benchmark takes for as many commands of each kind and size."""
    kinds = collections.defaultdict(list)
    for begin, at, places in commands_of(said):
        name = bytes(said[places[0][0]:places[0][1]])
        key = bytes(said[places[1][0]:places[1][1]]) if len(places) > 1 and name != b"EVAL" else b""
        kinds[name, re.sub(rb"^(.*?\.)?([a-z]+).*", rb"\2", key.split(b".")[-1])].append((at - begin, places))
    wall = cpu = 0
    for (name, what), found in sorted(kinds.items(), key=lambda item: -len(item[1])):
        if name in (b"PING", b"WATCH", b"MGET", b"MULTI", b"EXEC", b"GET", b"SET", b"PUBSUB"):
            continue  # the sink's own bookkeeping
        took = used = 0
        for number_of, arguments in like_it(found, said):
            count = min(max(number_of, 2000), 100000) if name != b"EVAL" else min(max(number_of, 200), 5000)
            one_wall, one_cpu = time_of(bench, database, address, name, arguments, count)
            took, used = took + one_wall * number_of, used + one_cpu * number_of
        bench.say("    redis-benchmark %-8s %-10s %8d sent by the sink, %8.0f a second, %5.1f us of Redis's CPU each" %
                  (name.decode(), what.decode()[:10], len(found), len(found) / took, used / len(found) * 1e6))
        wall, cpu = wall + took, cpu + used
        forget(database, "bench-rb:")
    return wall, cpu


def send_again(database, address, said):
    """Everything that was sent, in one stream, answers thrown away."""
    host, port = address.rsplit(":", 1)
    connection = socket.create_connection((host, int(port)))
    before, began = redis_cpu(database), time.time()
    sender = threading.Thread(target=lambda: (connection.sendall(said + b"*1\r\n$4\r\nQUIT\r\n"), connection.shutdown(socket.SHUT_WR)))
    sender.start()
    while connection.recv(1 << 20):
        pass
    sender.join()
    return time.time() - began, redis_cpu(database) - before


def run(bench):
    for what, options in (("live", ()), ("60 days of history", ("--span", "60d"))):
        prefix = "bench-sink%d." % len(options)
        database = redis.Redis(bench.redis.rsplit(":", 1)[0], int(bench.redis.rsplit(":", 1)[1]))
        bench.drain(prefix, bench.fill(prefix, number(bench.options.sink_events), 20000, *options))
        ends = {topic: bench.ends_of_records(prefix + topic) for topic in TOPICS}
        records = sum(map(sum, ends.values()))
        recorder = Recorder(bench.redis)
        drain(bench, database, prefix, ends, recorder.address)
        recorder.listener.close()
        ours = drain(bench, database, prefix, ends, bench.redis)
        sizes = database.dbsize()
        forget(database, prefix)
        said = recorder.said()
        wall_again, cpu_again = send_again(database, bench.redis, said)
        forget(database, prefix)
        wall, cpu = by_redis_benchmark(bench, database, bench.redis, said)
        ours["wall"] /= ours["share"]
        bench.say("    %d records, %d keys; %.0f MB sent" % (records, sizes, len(said) / 1e6))
        bench.row("sink", "%s: records a second (sink %.2f, Redis %.2f CPU s)" % (what, ours["cpu"], ours["redis"]), "%.0f" % (records / ours["wall"]))
        bench.row("sink", "%s: share of redis-benchmark's rate" % what, "%.0f %% (%.2f s against %.2f s)" % (wall / ours["wall"] * 100, ours["wall"], wall), ">= 70 %",
                  wall >= 0.7 * ours["wall"])
        bench.row("sink", "%s: Redis's CPU, redis-benchmark's / ours" % what, "%.0f %% (%.2f s, %.2f s)" % (cpu / ours["redis"] * 100 * ours["share"], cpu, ours["redis"]))
        bench.row("sink", "%s: share of the same bytes sent again blindly" % what, "%.0f %% (%.2f s; %.2f CPU s)" % (wall_again / ours["wall"] * 100, wall_again, cpu_again))
