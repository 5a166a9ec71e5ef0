"""The conformance kit for daemons passes ours and the one in Python, and fails one that is wrong."""
import faulthandler, os, subprocess, sys
import pytest
from plane import BINARIES, HERE

KIT = BINARIES / "gatehouse-conformance"
SOAK = bool(os.environ.get("SOAK"))
BULK = 1 << 30 if SOAK else 64 << 20
PYTHON = [sys.executable, HERE / "toold.py", "{root}", "{state}", "{enroll}", "{ca}", "{token}"]
OURS = [BINARIES / "gatehouse-toold", "--root", "{root}", "--state", "{state}", "--enroll-address", "{enroll}",
        "--ca", "{ca}", "--token-file", "{token-file}"]


@pytest.fixture(autouse=True)
def patient():
    """Its cases wait for timers: heartbeats, deadlines, back-off; in `make soak` one moves a GiB."""
    faulthandler.cancel_dump_traceback_later()
    faulthandler.dump_traceback_later(900 if SOAK else 300, exit=True)
    yield


def run(daemon, log, *options):
    assert KIT.exists(), f"no {KIT}; run 'make test' or build it first"
    # Cases differ in what the daemon may inherit; nothing of ours is needed but Python's paths.
    return subprocess.run([KIT, "--log", log, *options, "--", *daemon], capture_output=True, text=True, timeout=880 if SOAK else 280)


@pytest.mark.parametrize("daemon", [PYTHON, OURS], ids=["toold.py", "gatehouse-toold"])
def test_the_kit_passes(daemon, tmp_path):
    log = tmp_path / "daemon.log"
    kit = run(daemon, log, "--bulk-bytes", str(BULK), "--timeout", "600" if SOAK else "60")
    print(kit.stdout)
    assert kit.returncode == 0, kit.stdout + kit.stderr[-4000:] + log.read_text()[-4000:]
    lines = kit.stdout.splitlines()
    cases = [line.split()[1] for line in lines if line.startswith("PASS ")]
    assert "FAIL" not in kit.stdout and lines[-1] == f"{len(cases)} of {len(cases)} cases passed"
    listed = subprocess.run([KIT, "--list"], capture_output=True, text=True, check=True).stdout.splitlines()
    assert cases == [line for line in listed if not line.startswith(" ")]


def test_the_kit_fails_a_daemon_that_starts_calls_twice(tmp_path):
    wrong = (HERE / "toold.py").read_text().replace("self.calls.get(id) or Call(self.root, value)", "Call(self.root, value)")
    assert "self.calls.get(id) or" not in wrong
    (tmp_path / "toold.py").write_text(wrong)
    os.symlink(HERE / "enroll.py", tmp_path / "enroll.py")
    daemon = [sys.executable, tmp_path / "toold.py", *PYTHON[2:]]
    kit = run(daemon, tmp_path / "daemon.log", "--only", "exec", "--only", "replayed-offer", "--timeout", "20")
    assert kit.returncode == 1, kit.stdout
    assert "PASS exec" in kit.stdout and "FAIL replayed-offer" in kit.stdout


def test_the_kit_says_so_when_no_daemon_links(tmp_path):
    kit = run(["false"], tmp_path / "daemon.log")
    assert kit.returncode == 2
    assert "FAIL link: the daemon ended with 1 before it linked" in kit.stdout
