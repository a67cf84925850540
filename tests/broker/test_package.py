"""The Debian package: what is in it, and that it would run where it is installed. Nothing is installed here."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """(the package, its files unpacked)"""
    if not shutil.which("dpkg-deb"):
        pytest.skip("no dpkg-deb here")
    if not (ROOT / "build/release/app/touchstream").exists():
        pytest.skip("no release build here: deploy/package would make one")
    folder = tmp_path_factory.mktemp("package")
    done = subprocess.run([ROOT / "deploy/package", folder / "made"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    one, = (folder / "made").glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", one, folder / "files"], check=True)
    subprocess.run(["dpkg-deb", "-e", one, folder / "control"], check=True)
    return one, folder / "files", folder / "control"


def test_it_holds_what_an_operator_looks_for_and_nothing_else(package):
    _, files, _ = package
    found = {str(path.relative_to(files)) for path in files.rglob("*") if path.is_file()}
    assert {"usr/bin/touchstream", "lib/systemd/system/touchstream@.service", "etc/touchstream/touchstream.yaml", "usr/share/man/man1/touchstream.1",
            "usr/share/bash-completion/completions/touchstream", "usr/share/doc/touchstream/copyright", "usr/share/doc/touchstream/KPIS.md", "usr/share/doc/touchstream/redis-memory",
            "usr/share/doc/touchstream/prometheus/alerts.yaml"} <= found
    assert {path.split("/")[0] for path in found} == {"usr", "lib", "etc"} and not any("local" in path for path in found)


def test_the_program_in_it_runs_and_is_stripped(package):
    _, files, _ = package
    program = files / "usr/bin/touchstream"
    told = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
    assert told.startswith("touchstream 0.")
    sections = subprocess.run(["readelf", "-S", program], capture_output=True, text=True, check=True).stdout
    assert ".debug_info" not in sections
    for command in (line.split()[0] for line in told.splitlines() if line.startswith("  ")):
        assert "\n.B %s\n" % command in (files / "usr/share/man/man1/touchstream.1").read_text()


def test_its_unit_starts_the_program_it_brings_with_the_configuration_it_brings(package):
    _, files, control = package
    unit = (files / "lib/systemd/system/touchstream@.service").read_text()
    start, = (line for line in unit.splitlines() if line.startswith("ExecStart="))
    program, service, option, config = start[len("ExecStart="):].split()
    assert (files / program.lstrip("/")).is_file() and (service, option) == ("%i", "--config") and (files / config.lstrip("/")).is_file()
    assert (control / "conffiles").read_text().split() == [config]  # what somebody changed in it survives an upgrade
    done = subprocess.run([files / program.lstrip("/"), "settings", "--config", files / config.lstrip("/")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_each_service_by_itself_has_an_address_for_its_metrics(package):
    _, files, _ = package
    lines = {path.parent.name: path.read_text() for path in (files / "lib/systemd/system").glob("*.d/*.conf")}
    assert set(lines) == {"touchstream@%s.service.d" % name for name in ("journey", "kpi", "sink", "notify", "dashboard")}
    listens = [re.search(r"^Environment=TOUCHSTREAM_STATUS_LISTEN=(127.0.0.1:\d+)$", text, re.M)[1] for text in lines.values()]
    taken = re.findall(r"listen: (127.0.0.1:\d+)", (files / "etc/touchstream/touchstream.yaml").read_text())
    assert len(taken) == 3 and len(set(listens + taken)) == 8


def test_systemd_understands_its_units(package, tmp_path):
    _, files, _ = package
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze here")
    units = shutil.copytree(files / "lib/systemd/system", tmp_path / "units")
    unit = (units / "touchstream@.service").read_text().replace("ExecStart=/usr/bin/touchstream", "ExecStart=/bin/echo")  # it is not installed here
    (units / "touchstream@.service").write_text(unit)
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", "touchstream@journey.service"], capture_output=True, text=True,
                          env={**os.environ, "SYSTEMD_UNIT_PATH": "%s:" % units})
    said = done.stdout + done.stderr
    assert "touchstream" not in said, said
    if done.returncode:
        pytest.skip("systemd-analyze cannot work here: " + said[-200:])


def test_its_dependencies_are_named_and_its_scripts_are_scripts(package):
    one, _, control = package
    depends = subprocess.run(["dpkg-deb", "-f", one, "Depends"], capture_output=True, text=True, check=True).stdout
    for library in ("librdkafka1", "libavro", "libmicrohttpd", "libhiredis", "libjq1", "libc6"):
        assert library in depends
    for script in ("postinst", "prerm", "postrm"):
        assert os.access(control / script, os.X_OK)
        subprocess.run(["sh", "-n", control / script], check=True)


def test_completion_knows_commands_and_their_options(package):
    _, files, _ = package
    asked = """
        source %s/usr/share/bash-completion/completions/touchstream
        ask() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _touchstream; echo "${COMPREPLY[@]}"; }
        ask %s/usr/bin/touchstream ba
        ask %s/usr/bin/touchstream import --sp""" % (files, files, files)
    assert subprocess.run(["bash", "-c", asked], capture_output=True, text=True).stdout.split() == ["backtest", "--speed"]
