"""Kafka that wants to know who asks: over TLS with a password (SCRAM), with a certificate, or with a password in the clear. The route works, what
hangs is ended as over plaintext, and whoever is refused is told why."""

import json
import pathlib
import re
import uuid

import confluent_kafka
import pytest
from confluent_kafka.admin import (AclBinding, AclOperation, AclPermissionType, AdminClient, ResourcePatternType, ResourceType, ScramCredentialInfo,
                                   ScramMechanism, UserScramCredentialUpsertion)
from certificates import PASSWORD, make_certificates
from installation import Installation, eventually
from own_services import OwnServices
from test_bad_input import good
from test_hanging import keys_of, leave_hanging

USER = "night, =watch"  # as in the password: what has a meaning of its own in SCRAM
JAAS = "org.apache.kafka.common.security"


def listeners(folder):
    def properties(base):
        plain, controller, ports = base + 4, base + 5, {"SCRAM": base + 7, "CERTIFICATE": base + 8, "CLEAR": base + 9, "TOKEN": base + 6}
        doors = ["PLAINTEXT://127.0.0.1:%d" % plain, *("%s://127.0.0.1:%d" % door for door in ports.items())]
        lines = {
            "listeners": ",".join([*doors, "CONTROLLER://127.0.0.1:%d" % controller]), "advertised.listeners": ",".join(doors),
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SCRAM:SASL_SSL,CERTIFICATE:SSL,CLEAR:SASL_PLAINTEXT,TOKEN:SASL_PLAINTEXT",
            "ssl.keystore.type": "PEM", "ssl.keystore.location": folder / "server.both.pem", "ssl.truststore.type": "PEM", "ssl.truststore.location": folder / "ca.pem",
            "listener.name.certificate.ssl.client.auth": "required",
            "listener.name.scram.sasl.enabled.mechanisms": "SCRAM-SHA-256,SCRAM-SHA-512",
            "listener.name.scram.scram-sha-256.sasl.jaas.config": JAAS + ".scram.ScramLoginModule required;",
            "listener.name.scram.scram-sha-512.sasl.jaas.config": JAAS + ".scram.ScramLoginModule required;",
            "listener.name.clear.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.clear.plain.sasl.jaas.config": JAAS + '.plain.PlainLoginModule required user_alice="%s" user_bob="%s";' % (PASSWORD, PASSWORD),
            "listener.name.token.sasl.enabled.mechanisms": "OAUTHBEARER",
            "listener.name.token.oauthbearer.sasl.jaas.config": JAAS + '.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="alice";',
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS;User:alice;User:CN=client;User:" + USER,
            "transaction.partition.verification.enable": "false",  # test_hanging.py says why
        }
        return "".join("%s=%s\n" % line for line in lines.items())
    return properties


@pytest.fixture(scope="module")
def guarded(services, tmp_path_factory):
    folder = tmp_path_factory.mktemp("guarded")
    make_certificates(folder / "certificates")
    own = OwnServices(folder / "services", "kafka", listeners(folder / "certificates"))
    admin = AdminClient({"bootstrap.servers": own.addresses["KAFKA"]})
    for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
        upsertion = UserScramCredentialUpsertion(USER, ScramCredentialInfo(mechanism, 4096), PASSWORD.encode())
        for done in admin.alter_user_scram_credentials([upsertion]).values():
            done.result(30)
    yield own, folder / "certificates"
    own.stop()


WAYS = ("SCRAM-SHA-256", "SCRAM-SHA-512", "certificate", "PLAIN")


def newer_librdkafka():
    """The one that Python's client brings along: Debian 12's 2.0.2 cannot log in to Kafka 4 by SCRAM."""
    found = list(pathlib.Path(confluent_kafka.__file__).parent.parent.glob("confluent_kafka.libs/librdkafka-*.so*"))
    if not found:
        pytest.skip("no librdkafka beside Python's client")
    return str(found[0])


def settings_of(way, own, certificates):
    at = lambda offset: "127.0.0.1:%d" % (own.base + offset)
    tls = {"kafka.ssl_ca_location": str(certificates / "ca.pem")}
    if way == "certificate":
        return {"kafka.brokers": at(8), "kafka.security_protocol": "ssl", **tls, "kafka.ssl_certificate_location": str(certificates / "client.pem"),
                "kafka.ssl_key_location": str(certificates / "client.locked.key"), "kafka.ssl_key_password": PASSWORD}
    if way == "PLAIN":
        return {"kafka.brokers": at(9), "kafka.security_protocol": "sasl_plaintext", "kafka.sasl_mechanism": way, "kafka.sasl_username": "alice", "kafka.sasl_password": PASSWORD}
    if way == "OAUTHBEARER":  # with a token that nobody has signed, as Kafka takes it unless told whom to believe
        return {"kafka.brokers": at(6), "kafka.security_protocol": "sasl_plaintext", "kafka.sasl_mechanism": way, "kafka.properties": {
            "enable.sasl.oauthbearer.unsecure.jwt": "true", "sasl.oauthbearer.config": "principal=alice"}}
    return {"kafka.brokers": at(7), "kafka.security_protocol": "sasl_ssl", **tls, "kafka.sasl_mechanism": way, "kafka.sasl_username": USER, "kafka.sasl_password": PASSWORD}


@pytest.fixture
def make_guest(services, program, tmp_path, guarded):
    own, certificates = guarded
    made = []

    def make(way, **settings):
        name = "guest" + uuid.uuid4().hex[:8]
        made.append(Installation(name, {**services, **own.addresses}, program, tmp_path / name,
                                 {**settings_of(way, own, certificates), "engine.instance": "own", **settings}))
        return made[-1]
    yield make
    for one in made:
        one.finish()


@pytest.mark.parametrize("way", WAYS)
def test_the_route_and_what_hangs(make_guest, way, monkeypatch):
    """From a file to Redis; and a transaction that Kafka left open is found and ended over the same kind of connection."""
    if way.startswith("SCRAM"):
        monkeypatch.setenv("LD_PRELOAD", newer_librdkafka())
    guest = make_guest(way)
    guest.succeed("topics")
    guest.succeed("check")
    leave_hanging(guest, "own", 2, True, b"hung")
    assert b"hung" not in keys_of(guest)
    guest.succeed("import", "-", input=json.dumps(good(customer_id="guarded")))
    route = guest.start_route()
    assert eventually(lambda: guest.redis.hgetall(guest.redis_prefix + "customer:guarded"), 60), guest.logs()
    assert eventually(lambda: {b"hung", b"guarded"} <= set(keys_of(guest)), 30), guest.logs()
    log = route[0].log.read_text()
    assert "ended a transaction that Kafka had left open" in log and "level=error" not in log, log
    assert PASSWORD not in guest.logs()
    for process in route:
        assert guest.stop(process) == 0


def test_the_route_with_tokens(make_guest):
    guest = make_guest("OAUTHBEARER")
    guest.succeed("topics")
    guest.succeed("check")
    guest.succeed("import", "-", input=json.dumps(good(customer_id="guarded")))
    route = guest.start_route()
    assert eventually(lambda: guest.redis.hgetall(guest.redis_prefix + "customer:guarded"), 60), guest.logs()
    for process in route:
        assert guest.stop(process) == 0


def test_where_scram_cannot_work_the_reason_is_said(make_guest):
    """It is not the password, and who reads «invalid credentials» would look for it there."""
    done = make_guest("SCRAM-SHA-512").run("check")
    if done.returncode == 0:
        pytest.skip("this librdkafka can")
    assert re.search("^kafka.*2[.]6[.]1.*certificate", done.stdout, re.M), done.stdout


def allow(own, prefix, *kinds):
    """Whatever stands under the prefix is bob's, as far as it is of these kinds."""
    admin = AdminClient({"bootstrap.servers": own.addresses["KAFKA"]})
    acls = [AclBinding(kind, prefix, ResourcePatternType.PREFIXED, "User:bob", "*", AclOperation.ALL, AclPermissionType.ALLOW) for kind in kinds]
    for done in admin.create_acls(acls).values():
        done.result(30)


def test_rights_to_what_stands_under_the_prefix_are_enough(make_guest, guarded):
    """Nothing is asked of the cluster itself. Only a transaction that Kafka left open is then for the operator to end, and the log says so."""
    guest = make_guest("PLAIN", **{"kafka.sasl_username": "bob"})
    allow(guarded[0], guest.prefix, ResourceType.TOPIC, ResourceType.GROUP, ResourceType.TRANSACTIONAL_ID)
    guest.succeed("topics")
    guest.succeed("check")
    leave_hanging(guest, "own", 2, True, b"hung")
    guest.succeed("import", "-", input=json.dumps(good(customer_id="guarded")))
    route = guest.start_route()
    assert eventually(lambda: guest.redis.hgetall(guest.redis_prefix + "customer:guarded"), 60), guest.logs()
    said = route[0].log.read_text()
    assert "not ours to end" in said and "level=error" not in guest.logs(), guest.logs()
    for process in route:
        assert guest.stop(process) == 0


@pytest.mark.parametrize("missing", ["GROUP", "TRANSACTIONAL_ID"])
def test_a_right_that_is_missing_is_named(make_guest, guarded, missing):
    guest = make_guest("PLAIN", **{"kafka.sasl_username": "bob"})
    done = guest.run("topics")
    assert done.returncode != 0 and "uthorization" in done.stderr, done.stderr
    kinds = {"GROUP": ResourceType.GROUP, "TRANSACTIONAL_ID": ResourceType.TRANSACTIONAL_ID}
    allow(guarded[0], guest.prefix, ResourceType.TOPIC, *(kind for name, kind in kinds.items() if name != missing))
    guest.succeed("topics")
    journey = guest.start("journey")
    assert eventually(lambda: missing + "_AUTHORIZATION_FAILED" in journey.log.read_text(), 30), guest.logs()
    print(journey.log.read_text())


@pytest.mark.parametrize("way, wrong, reason", [
    ("SCRAM-SHA-512", {"kafka.sasl_password": "guessed"}, "authentication"),
    ("PLAIN", {"kafka.sasl_password": "guessed"}, "authentication"),
    ("certificate", {"kafka.ssl_certificate_location": "", "kafka.ssl_key_location": ""}, "ssl"),
    ("SCRAM-SHA-256", {"kafka.ssl_ca_location": "stranger.pem"}, "certificate"),
], ids=["password", "password in the clear", "no certificate", "an authority nobody trusts"])
def test_who_is_refused_is_told_why(make_guest, guarded, way, wrong, reason):
    guest = make_guest(way)
    if "kafka.ssl_ca_location" in wrong:
        wrong = {"kafka.ssl_ca_location": str(guarded[1] / wrong["kafka.ssl_ca_location"])}
    guest.write_config({**guest.settings, **wrong})
    done = guest.run("check")
    line = next((line for line in done.stdout.splitlines() if line.startswith("kafka")), done.stdout + done.stderr)
    assert done.returncode != 0 and "FAILED" in line and reason in line.lower(), done.stdout + done.stderr
    assert "guessed" not in done.stdout + done.stderr


@pytest.mark.parametrize("key, wrong, said", [
    ("kafka.ssl_ca_location", {"kafka.ssl_ca_location": "/nowhere.pem"}, "cannot read /nowhere.pem: No such file or directory"),
    ("kafka.ssl_key_location", {"kafka.ssl_certificate_location": ""}, "needs kafka.ssl_certificate_location, too"),
    ("kafka.sasl_mechanism", {"kafka.security_protocol": "sasl_ssl"}, "is missing; kafka.security_protocol sasl_ssl needs PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"),
])
def test_settings_that_cannot_work(make_guest, key, wrong, said):
    """Before anything is connected to, with file, line and key."""
    guest = make_guest("certificate")
    guest.write_config({**guest.settings, **wrong})
    done = guest.run("check")
    lines = guest.config.read_text().splitlines()
    line = next((number for number, text in enumerate(lines, 1) if text.startswith(key)), None)
    where = "%s:%s: %s" % (guest.config, line, key) if line else key
    assert done.returncode != 0 and where in done.stdout + done.stderr and said in done.stdout + done.stderr, done.stdout + done.stderr
