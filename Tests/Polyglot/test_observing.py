"""What an operator sees of a plane: metrics, log, settings, and `top` on a terminal."""
import fcntl, json, os, pty, re, select, signal, struct, subprocess, termios, time, urllib.request
import pytest
from prometheus_client.parser import text_string_to_metric_families
from plane import BINARIES, read_line, wait_until


def metrics(plane):
    """All samples by name and labels, as Prometheus's own parser reads them."""
    with urllib.request.urlopen(f"http://{plane.admin}/metrics", timeout=10) as answer:
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        families = list(text_string_to_metric_families(answer.read().decode()))
    assert all(family.documentation and family.type in ("counter", "gauge", "histogram") for family in families)
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def log_lines(plane):
    return [json.loads(line) for line in plane.log.read_text().splitlines() if line.startswith("{")]


def test_a_call_moves_the_metrics_it_should(plane, client, local):
    ended, output = ("gatehouse_calls_ended_total", (("outcome", "exited"),)), ("gatehouse_call_output_bytes_total", ())
    running = ("gatehouse_calls", (("state", "running"),))
    before = metrics(plane)
    call = client.exec(local.id, "sh", "-c", "printf 12345; read line", stdin=True)
    call.read_until(b"12345")
    during = metrics(plane)
    assert during[running] == before[running] + 1 and during[output] == before[output] + 5
    call.write(b"go\n")
    call.result()
    after = metrics(plane)
    assert after[running] == before[running]
    assert after[ended] == before[ended] + 1 and after[output] == before[output] + 5
    assert after[("gatehouse_call_stdin_bytes_total", ())] == before[("gatehouse_call_stdin_bytes_total", ())] + 3


def test_the_log_has_a_line_for_each_call_and_nothing_of_its_contents(plane, client, local):
    call = client.exec(local.id, "echo", "marker-of-the-request", environment={"X": "marker-of-the-environment"})
    call.result()
    def lines():
        return [line for line in log_lines(plane) if line.get("call") == call.call_id and line["event"] == "call_ended"]
    wait_until(lines, "no line for the call")
    (line,) = lines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    assert (line["level"], line["outcome"], line["code"]) == ("info", "exited", 0)
    assert line["workspace"] == local.id and line["tool"] == "process.exec" and line["output_bytes"] == 22
    assert line["principal"].startswith("spiffe://") and line["duration_ms"] >= 0
    assert "marker-of-the" not in plane.log.read_text()


def test_a_signal_switches_the_log_to_debug_and_back(plane, client, local):
    def levels():
        return [line["log_level"] for line in log_lines(plane) if line["event"] == "log_level"]
    for level in ("debug", "info"):
        seen = len(levels())
        plane.process.send_signal(signal.SIGUSR1)
        wait_until(lambda: len(levels()) > seen, "the signal changed nothing")
        assert levels()[-1] == level
        call = client.exec(local.id, "true")
        call.result()
        wait_until(lambda: any(l.get("call") == call.call_id and l["event"] == "call_ended" for l in log_lines(plane)),
                   "no line for the call")
        accepted = [l for l in log_lines(plane) if l.get("call") == call.call_id and l["event"] == "call_accepted"]
        assert bool(accepted) == (level == "debug")


def test_the_daemon_logs_the_same_keys_and_heeds_the_same_signal(plane, client, local):
    records = json.loads((plane.state / "workspaces.json").read_text())["workspaces"]
    (daemon,) = [record["daemonPID"] for record in records if record["id"] == local.id]
    log = plane.state / "workspaces" / local.id / "daemon.log"
    def events(call_id):
        lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
        return {line["event"]: line for line in lines if line.get("call") == call_id}
    for is_debug in (True, False):
        os.kill(daemon, signal.SIGUSR1)
        call = client.exec(local.id, "sh", "-c", "exit 4")
        call.result()
        wait_until(lambda: "call_ended" in events(call.call_id), "no line for the call")
        ended = events(call.call_id)["call_ended"]
        assert (ended["level"], ended["tool"], ended["outcome"], ended["code"]) == ("info", "process.exec", "exited", 4)
        assert ("offered" in events(call.call_id)) == is_debug


def test_a_settings_file_is_used_and_options_override_it(tmp_path):
    file = tmp_path / "plane.yaml"
    file.write_text(f"state: {tmp_path}/state\nlisten: 127.0.0.1:0\nlisten_open: 127.0.0.1:0\n"
                    "listen_admin: nonsense.invalid:1\nlog: {level: debug, format: text}\n")
    with open(tmp_path / "log", "wb") as log:
        process = subprocess.Popen(
            [BINARIES / "gatehouse", "plane", "--config", file, "--listen-admin", "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=log)
    try:
        ready = read_line(process.stdout, 30)
        assert f"state={tmp_path}/state" in ready, (tmp_path / "log").read_text()
    finally:
        process.terminate()
        assert process.wait(15) == 0
    lines = (tmp_path / "log").read_text().splitlines()
    assert re.match(r"\S+Z info    ready admin=127\.0\.0\.1:\d+ listen=127\.0\.0\.1:\d+ open=", lines[0])
    assert lines[-1].endswith(" stopped")


@pytest.mark.parametrize("text, complaint", [
    ("lissten: a:1", ":1:1: there is no setting 'lissten'; did you mean 'listen'?"),
    ("calls:\n  default_timeout: soon", ":2:20: calls.default_timeout: 'soon' is not a time from "),
    ("model: {key: sk-secret}", ":1:14: model.key is here, and other accounts can read this file; run: chmod 600 "),
])
def test_a_bad_settings_file_is_refused_with_its_place(tmp_path, text, complaint):
    file = tmp_path / "plane.yaml"
    file.write_text(text)
    file.chmod(0o644)
    ended = subprocess.run([BINARIES / "gatehouse", "plane", "--config", file], capture_output=True, text=True, timeout=30)
    assert ended.returncode == 78 and f"{file}{complaint}" in ended.stderr and "sk-secret" not in ended.stderr


@pytest.mark.parametrize("end", [b"q", b"\x03", signal.SIGTERM])
def test_top_shows_links_and_leaves_the_terminal_as_it_was(plane, local, end):
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    before = termios.tcgetattr(slave)
    process = subprocess.Popen(
        [BINARIES / "gatehouse", "top", "--state", plane.state, "--interval", "0.2"],
        stdin=slave, stdout=slave, stderr=slave, env=os.environ | {"TERM": "xterm"}, start_new_session=True)
    screen = b""
    def read_until(text, seconds=20):
        nonlocal screen
        deadline = time.monotonic() + seconds
        while text not in screen:
            assert select.select([master], [], [], max(0, deadline - time.monotonic()))[0], screen
            screen += os.read(master, 65536)
    read_until(b"B/s out")  # the second page has rates
    assert b"\x1b[?1049h" in screen and b"local" in screen
    if isinstance(end, bytes):
        os.write(master, end)
    else:
        process.send_signal(end)
    read_until(b"\x1b[?1049l")
    assert process.wait(10) == 0
    assert termios.tcgetattr(slave) == before
    os.close(master), os.close(slave)


def test_top_and_links_for_scripts(plane, client, local):
    def run(*arguments):
        return subprocess.run([BINARIES / "gatehouse", *arguments, "--state", plane.state],
                              capture_output=True, text=True, timeout=30, check=True).stdout
    top = run("top", "--once", "--interval", "0.1")
    assert "\x1b" not in top and "WORKSPACE" in top and "local" in top
    listed = [json.loads(line) for line in run("link", "list", "--json").splitlines()]
    (link,) = [each for each in listed if each["workspace_id"] == local.id]
    shown = json.loads(run("link", "show", "local", "--json"))
    assert shown["session_epoch"] == link["session_epoch"] and shown["instance_id"] == link["instance_id"]
    assert "process.exec" in shown["tools"] and shown["max_calls"] > 0
