"""The other engines of the peer kit (--peers), each on the topics that ours read: the kit's own runner measures them."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

from benches.common import cpu_of, peak_of

ENGINES = {"kstreams-dsl": {"COMMIT": "1000", "GRACE": "600000"}, "kstreams-tuned": {"COMMIT": "1000", "GRACE": "600000", "LIVE": "true"},
           "flink-tuned": {"CKPT": "1000"}}
KPIS = {2: "csat", 3: "nps", 4: "ces"}  # places in the kit's list: what it defines as we do


def is_one(name):
    return name in ENGINES


def work():
    return pathlib.Path(os.environ.get("PEERS_WORK", "/tmp/peers"))


def environment(bench, prefix, **more):
    return {**os.environ, "PEERS_WORK": str(work()), "PEERS_BROKER": bench.kafka, "PEERS_TOPIC": prefix + "touchpoints", "PEERS_PREFIX": prefix + "peers.", **more}


def build(bench):
    if (work() / "bin" / "check").exists() and (work() / "build" / "kstreams").exists():
        return
    bench.say("  building the peer kit into %s" % work())
    kit = work() / "kit"  # Maven writes beside its sources
    shutil.copytree(bench.options.peers, kit, dirs_exist_ok=True)
    subprocess.run(["./build.sh"], cwd=kit, env={**os.environ, "PEERS_WORK": str(work())}, check=True, timeout=1200)


def run_kit(bench, engine, prefix, **settings):
    script = pathlib.Path(bench.options.peers) / "run.py"
    try:
        out = subprocess.run([sys.executable, str(script), engine, "--no-fill"], cwd=bench.options.peers, capture_output=True, text=True, timeout=900,
                             env=environment(bench, prefix, PYTHONDONTWRITEBYTECODE="1", **settings))
        return json.loads(out.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, IndexError, json.JSONDecodeError) as error:
        bench.say("  %s did not get through: %s" % (engine, error))
        return None


def drain_all(bench, prefix, ends, is_last):
    """Yields (name, row) of each engine; on the larger count also what a grace of 30 s loses."""
    build(bench)
    for engine, settings in ENGINES.items():
        result = run_kit(bench, engine, prefix, **settings)
        if result:
            yield engine, {"wall": result["wall_s"], "cpu": result["cpu_s"], "peak": result["peak_rss_mb"]}
            bench.row("peers", "%s: events and KPIs exact" % engine, "%s, %s" % (result.get("events_ok"), result.get("kpis_ok")))
    if not is_last:
        return
    for engine in ("kstreams-dsl", "kstreams-tuned"):
        result = run_kit(bench, engine, prefix, **{**ENGINES[engine], "GRACE": "30000"})
        if result:
            bench.row("peers", "%s, 30 s grace, backlog: events in its KPIs" % engine, "%d of %d" % (result["kpi_got"][0], result["kpi_want"][0]))


def totals_of(bench, prefix):
    """The kit's one-pass computation over the input: how many answers of each kind."""
    build(bench)
    for topic in ("touchpoints.enriched", "alerts", "kpis"):
        if prefix + "peers." + topic not in bench.topics_of(prefix):
            bench.create_topic(prefix + "peers." + topic)
    out = subprocess.run([str(work() / "bin" / "check"), "-b", bench.kafka, "-i", prefix + "touchpoints", "-p", prefix + "peers."], check=True, capture_output=True,
                         text=True, timeout=300).stdout
    wanted = json.loads(out)["kpi_want"]
    return {name: wanted[place] for place, name in KPIS.items()}


def streams_restore(bench, prefix, ends):
    """Kafka Streams (tuned, memory stores) killed with -9 after it got through; seconds and CPU from its start to RUNNING again."""
    build(bench)
    app, log = "peers-bench-restore-%d" % time.time(), bench.folder / "kstreams-restore.log"
    for topic in ("touchpoints.enriched", "alerts", "kpis"):
        if prefix + "peers." + topic not in bench.topics_of(prefix):
            bench.create_topic(prefix + "peers." + topic)
    settings = {"brokers": bench.kafka, "app": app, "topic": prefix + "touchpoints", "prefix": prefix + "peers.", "variant": "tuned", "commit": "1000",
                "store": "memory", "cached": "true", "grace": "600000", "threads": "2", "live": "true", "state": str(bench.folder / app),
                "lexicon": str(work() / "lexicon.tsv")}
    jars = work() / "build" / "kstreams"
    command = ["java", "-Xms1g", "-Xmx2g", "-XX:+UseParallelGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=info",
               *["-D%s=%s" % pair for pair in settings.items()], "-cp", "%s/kstreams-1.jar:%s/lib/*" % (jars, jars), "touchstream.peers.KStreamsJob"]

    def start():
        with open(log, "w", encoding="utf-8") as out:
            return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=out)

    process = start()
    try:
        bench.wait_for(app, prefix + "touchpoints", ends, [process], 400)
        time.sleep(3)
        process.send_signal(signal.SIGKILL)
        process.wait()
        time.sleep(1)
        began, process = time.time(), start()
        while "to RUNNING" not in log.read_text(encoding="utf-8", errors="replace"):
            if process.poll() is not None or time.time() > began + 300:
                bench.say("  Kafka Streams did not come back; log %s" % log)
                return None
            time.sleep(0.05)
        return time.time() - began, cpu_of(process.pid), peak_of(process.pid)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        bench.delete_topics([name for name in bench.admin.list_topics(timeout=10).topics if name.startswith(app)])
