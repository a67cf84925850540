"""`check` and `topics` say what is wrong with what they find, so that who reads it at night knows what to do."""

import re
import socket
import socketserver
import threading

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic
from installation import eventually, free_port

ODD = [
    ("touchpoints", 2, {}, ["has 2 partitions, wanted 4", "topics.partitions"]),
    ("touchpoints", 4, {"message.timestamp.after.max.ms": "9223372036854775807"}, ["message.timestamp.after.max.ms is 9223372036854775807", "wanted at most 3600000"]),
    ("journeys", 4, {"cleanup.policy": "delete"}, ["cleanup.policy is delete, wanted compact"]),
    ("kpi.state", 4, {"cleanup.policy": "compact", "delete.retention.ms": "1000"}, ["delete.retention.ms is 1000, wanted at least 2592000000"]),
    ("journeys", 4, {"cleanup.policy": "compact", "delete.retention.ms": "2592000000", "segment.bytes": "1073741824"}, ["segment.bytes is 1073741824, wanted 67108864"]),
    ("kpi.deltas", 4, {"retention.ms": "3600000", "message.timestamp.type": "LogAppendTime"}, ["retention.ms is 3600000, wanted at least 172800000"]),
    ("kpi.deltas", 4, {"retention.ms": "-1"}, ["message.timestamp.type is CreateTime, wanted LogAppendTime"]),
    ("touchpoints.enriched", 4, {"max.message.bytes": "1000"}, ["max.message.bytes is 1000, wanted at least 2097152"]),
]


def is_known(admin, topic, config):
    """Kafka tells of a new topic's configuration some moments later."""
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    try:
        found = admin.describe_configs([resource])[resource].result(20)
    except KafkaException:
        return False
    return all(found[key].value == value for key, value in config.items())


@pytest.mark.parametrize("topic, partitions, config, parts", ODD, ids=["%s %s" % (row[0], next(iter(row[2]), "partitions")) for row in ODD])
def test_a_topic_that_is_not_as_it_should_be(make_installation, topic, partitions, config, parts):
    installation = make_installation(topics=False)
    admin = AdminClient({"bootstrap.servers": installation.services["KAFKA"]})
    for future in admin.create_topics([NewTopic(installation.topic(topic), partitions, 1, config=config)]).values():
        future.result(20)
    assert eventually(lambda: is_known(admin, installation.topic(topic), config))
    made = installation.succeed("topics")
    said = [line for line in made.stderr.splitlines() if "level=warning" in line and installation.topic(topic) + ":" in line]
    assert any(all(part in line for part in parts) for line in said), made.stderr
    checked = installation.succeed("check")
    said = [line for line in checked.stdout.splitlines() if line.split()[:3] == ["topics", "warning", installation.topic(topic) + ":"]]
    assert any(all(part in line for part in parts) for line in said), checked.stdout


def test_topics_with_fewer_copies_than_wanted(make_installation):
    """Made with one broker, and kept so when it became three: nobody else would say it before one is lost."""
    installation = make_installation()
    installation.write_config({**installation.settings, "topics.replication": 3})
    checked = installation.succeed("check").stdout
    said = [line for line in checked.splitlines() if "has 1 copy of each partition, wanted 3 (topics.replication)" in line and line.split()[:2] == ["topics", "warning"]]
    assert len(said) == 12, checked


def test_what_is_compacted_is_so_while_it_is_small(installation):
    """Kafka compacts no segment before it is full, a gigabyte by its own standard, and a restart reads all of it."""
    admin = AdminClient({"bootstrap.servers": installation.services["KAFKA"]})
    for topic in ("journeys", "kpis", "kpi.state"):
        assert eventually(lambda: is_known(admin, installation.topic(topic), {"cleanup.policy": "compact", "segment.bytes": "67108864"}), 15), topic


def test_topics_as_we_make_them_are_as_they_should_be(installation):
    for command in ("topics", "check"):
        done = installation.succeed(command)
        assert "warning" not in done.stdout + done.stderr, done.stdout + done.stderr


def test_missing_topics_are_named_together(make_installation):
    installation = make_installation(topics=False)
    done = installation.run("check")
    line = next(line for line in done.stdout.splitlines() if line.startswith("topics"))
    assert done.returncode == 1 and "FAILED  missing: %s, " % installation.topic("touchpoints") in line and "touchstream topics" in line


@pytest.mark.parametrize("settings, part", [
    ({"kafka.brokers": "127.0.0.1:1"}, "Connection refused"),
    ({"kafka.brokers": "nobody.invalid:9092"}, "Failed to resolve"),
    ({"kafka.security_protocol": "ssl"}, "ssl://"),
    ({"kafka.security_protocol": "sasl_plaintext", "kafka.sasl_mechanism": "PLAIN", "kafka.sasl_username": "a", "kafka.sasl_password": "b"}, "SASL PLAIN"),
], ids=["refused", "no such host", "tls", "password"])
def test_why_kafka_is_not_to_be_had(make_installation, settings, part):
    """The reason, not that something is wrong with the transport."""
    installation = make_installation(topics=False, **settings)
    done = installation.run("check")
    line = next(line for line in done.stdout.splitlines() if line.startswith("kafka"))
    assert done.returncode == 1 and "FAILED" in line and part in line, done.stdout


def test_a_registry_url_with_the_wrong_path(make_installation):
    """A 404 is not the answer of a registry that knows no schema yet. What the URL holds of secrets is not shown."""
    installation = make_installation(topics=False)
    host = installation.services["REGISTRY"].split("/")[2]
    installation.write_config({**installation.settings, "registry.url": "http://night:watch@%s/nowhere" % host})
    done = installation.run("check")
    line = next(line for line in done.stdout.splitlines() if line.startswith("registry"))
    assert done.returncode == 1 and "FAILED" in line and "no schema registry" in line and "http://%s/nowhere" % host in line, done.stdout
    assert "watch" not in done.stdout + done.stderr


def test_receivers_are_connections_too(make_installation):
    """Somebody takes connections there, or the line says who does not; nothing is sent, and no URL (a secret, with some) is shown."""
    installation = make_installation()
    with socket.create_server(("127.0.0.1", 0)) as desk:
        installation.write_config({**installation.settings, "notify.receivers": [
            {"name": "desk", "url": "http://127.0.0.1:%d/s3cret" % desk.getsockname()[1]},
            {"name": "head", "url": "http://127.0.0.1:%d/s3cret" % free_port()}, {"name": "far", "url": "http://nobody.invalid/s3cret"}]})
        done = installation.run("check")
        desk.settimeout(5)
        connection, _ = desk.accept()
        assert connection.recv(100) == b""
    said = {line.split()[3].rstrip(":"): line.split()[1] for line in done.stdout.splitlines() if line.startswith("notify")}
    assert said == {"desk": "ok", "head": "FAILED", "far": "FAILED"} and done.returncode == 1, done.stdout + done.stderr
    assert "s3cret" not in done.stdout + done.stderr, done.stdout


def test_a_folder_of_mappings_that_is_not_there(make_installation):
    installation = make_installation(**{"ingest.mappings_dir": "/no/such/folder"})
    said = [line for line in installation.succeed("check").stdout.splitlines() if "warning" in line]
    assert len(said) == 1 and "ingest.mappings_dir" in said[0], said


def test_what_librdkafka_is_told_besides(make_installation):
    """kafka.properties reach every client: brokers see it in the members of a group."""
    installation = make_installation(**{"kafka.properties": {"client.id": "shop-7", "client.rack": "eu-1a", "debug": "cgrp"}})
    journey = installation.start("journey")
    admin = AdminClient({"bootstrap.servers": installation.services["KAFKA"]})
    group = installation.prefix + "journey"
    members = lambda: [member.client_id for member in admin.describe_consumer_groups([group])[group].result(20).members]
    assert eventually(lambda: members() == ["shop-7"], 30), (members(), installation.logs())
    assert "librdkafka" not in journey.log.read_text()  # debug's lines are for those who look at log.level debug
    assert installation.stop(journey) == 0


@pytest.mark.parametrize("key, value, part", [
    ("kpi.targets", {"csat": 4.6, "review_count": 100}, "kpi.targets.review_count: {file}: of this KPI neither more nor less is better"),
    ("kpi.alerts.windows", {"csat": "7d", "ces": "7d"}, "kpi.alerts.windows.ces: {file}: this KPI has no target"),
    ("kpi.alerts.windows", {"csat": "7d", "ces": "none"}, None),
])
def test_a_target_that_can_alert_nobody_is_doubted(installation, key, value, part):
    settings = {**installation.settings, key: value}
    installation.write_config(settings)
    line = 1 + list(settings).index(key)
    checked, started = installation.succeed("check"), installation.succeed("generate", "--events", 1)
    said = [line.split(None, 2)[2] for line in checked.stdout.splitlines() if line.split()[:2] == ["config", "warning"]]
    assert len(said) == (part is not None) == started.stderr.count("doubtful setting"), checked.stdout + started.stderr
    if part:
        assert said[0].startswith(part.format(file="%s:%d" % (installation.config, line))), said
        assert "key=" + part.split(":")[0] in started.stderr


class OldRedis(socketserver.ThreadingTCPServer):
    """The real one, that says it were of before: of a version, in as many characters."""
    daemon_threads = allow_reuse_address = True

    def __init__(self, redis):
        host, port = redis.rsplit(":", 1)
        super().__init__(("127.0.0.1", 0), self.Talk)
        self.real = (host, int(port))
        threading.Thread(target=self.serve_forever, daemon=True).start()

    class Talk(socketserver.BaseRequestHandler):
        def handle(self):
            with socket.create_connection(self.server.real) as real:
                threading.Thread(target=self.forward, args=(real,), daemon=True).start()
                while answer := real.recv(65536):
                    self.request.sendall(re.sub(rb"(redis_version:)\d+", lambda found: found[1] + b"5" * (len(found[0]) - len(found[1])), answer))

        def forward(self, real):
            while asked := self.request.recv(65536):
                real.sendall(asked)
            real.shutdown(socket.SHUT_WR)


def test_a_redis_that_is_too_old(make_installation):
    installation = make_installation()
    with OldRedis(installation.services["REDIS"]) as old:
        installation.write_config({**installation.settings, "redis.address": "127.0.0.1:%d" % old.server_address[1]})
        checked = installation.run("check")
        assert checked.returncode == 1
        assert re.search(r"redis +FAILED +127\.0\.0\.1:\d+ is Redis 5\.\S+: 6\.2 is the least", checked.stdout), checked.stdout
