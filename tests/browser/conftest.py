"""The page in a real browser, Debian's Chromium, on the real pipeline. Installations are those of tests/broker; what is
missing (chromium, node, npm) skips these tests by name."""

import importlib.util
import json
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import threading

import pytest

HERE = pathlib.Path(__file__).resolve().parent
BROKER = HERE.parent / "broker"
sys.path.insert(0, str(BROKER))
spec = importlib.util.spec_from_file_location("broker_conftest", BROKER / "conftest.py")
broker = importlib.util.module_from_spec(spec)
spec.loader.exec_module(broker)
services, program = broker.services, broker.program
from installation import patience  # noqa: E402, found only from here on


@pytest.fixture(scope="session")
def browser_tools():
    """The folder in which node finds playwright-core; installed by npm from the lock file into the cache."""
    for tool in ("chromium", "node", "npm"):
        if not shutil.which(tool):
            pytest.skip("no %s here" % tool)
    folder = pathlib.Path(os.environ.get("BROWSER_TOOLS") or pathlib.Path.home() / ".cache/touchstream/browser")
    lock = (HERE / "package-lock.json").read_bytes()
    if not (folder / "node_modules").is_dir() or (folder / "package-lock.json").read_bytes() != lock:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder, capture_output=True,
                              text=True, timeout=180)
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            pytest.skip("npm could not install playwright-core: %s" % done.stderr[-300:])
    return folder


class Browser:
    """One tab. do(code) runs JavaScript beside the browser, with `page`, `context` and `seen`; look(code) inside the page."""

    def __init__(self, tools, pictures):
        self.pictures = pictures
        shutil.copy(HERE / "driver.mjs", tools / "driver.mjs")  # node looks for packages beside the file
        self.process = subprocess.Popen(["node", "driver.mjs"], cwd=tools, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        env={**os.environ, "CHROMIUM": shutil.which("chromium")},
                                        text=True, start_new_session=True)
        self.answers = queue.Queue()
        threading.Thread(target=lambda: [self.answers.put(line) for line in self.process.stdout], daemon=True).start()

    def do(self, code, seconds=40):
        self.process.stdin.write(json.dumps({"code": code}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.answers.get(timeout=seconds * patience()))
        assert "error" not in answer, answer["error"]
        return answer["value"]

    def look(self, code):
        return self.do("return page.evaluate(() => { %s });" % code)

    def wait(self, condition, seconds=20):
        """Until an expression holds in the page; checked at every frame."""
        self.do("await page.waitForFunction(() => { return %s; }, null, {timeout: %d, polling: 'raf'});" % (condition, seconds * patience() * 1000),
                2 * seconds + 20)

    def goto(self, url):
        self.do("await page.goto(%s);" % json.dumps(url))

    def picture(self, name):
        path = self.pictures / (name + ".png")
        self.do("await page.screenshot({path: %s, fullPage: false});" % json.dumps(str(path)))
        return path

    def finish(self):
        try:
            self.process.stdin.close()
            self.process.wait(10)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(5)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Where screenshots go: PICTURES, for people who want to look at them afterwards."""
    folder = os.environ.get("PICTURES")
    folder = pathlib.Path(folder) if folder else tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def browser(browser_tools, pictures):
    one = Browser(browser_tools, pictures)
    yield one
    one.finish()


def stages(services, program, folder):
    """One Stage, and afterwards its end."""
    from stage import Stage  # its imports are found only since this file has been read

    makers = broker.factory(services, program, folder / "made")
    one = Stage(next(makers), folder)
    yield one
    next(makers, None)
    one.finish()


@pytest.fixture(scope="module")
def stage(browser_tools, services, program, tmp_path_factory):
    yield from stages(services, program, tmp_path_factory.mktemp("stage"))


@pytest.fixture
def empty_stage(browser_tools, services, program, tmp_path):
    yield from stages(services, program, tmp_path)


def pytest_collection_modifyitems(items):
    broker.pytest_collection_modifyitems(items)
