"""`gatehouse exec` as a program: its streams, exit codes and signals, and what it says when things break."""
import base64, fcntl, hashlib, json, os, pathlib, signal, socket, struct, subprocess, sys, termios, threading
import pytest
import cli
from fakes import FakePlane
from plane import Local, Plane, wait_until
from gatehouse.plane.v1 import workspaces_pb2
from gatehouse.tools.v1 import call_pb2, tools_pb2

MIB = 1 << 20


@pytest.fixture
def own(tmp_path):
    """A plane and a workspace for one test that harms them."""
    transcript = tmp_path / "script.json"
    transcript.write_text(json.dumps({"name": "script", "steps": [{"text": "an agent's words\n"}]}))
    plane = Plane(tmp_path / "state", "--script", transcript)
    client = plane.client()
    workspace = Local(plane, client, tmp_path / "local", "own")
    workspace.plane = plane
    client.close()
    yield workspace
    if plane.process.poll() is not None:
        plane.start()
    workspace.client = client = plane.client()
    try:
        is_linked = lambda: client.workspace(workspace.id).state == workspaces_pb2.WORKSPACE_STATE_LINKED
        wait_until(is_linked, "its daemon did not link again")
        workspace.close()
    finally:
        client.close()
        plane.stop()


def peak_memory(process):
    """The most memory a process has had, in bytes."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def daemon_of(workspace):
    """The process of a local workspace's daemon."""
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"--root" in words and str(workspace.root).encode() in words:
            return int(folder.name)
    raise AssertionError(f"no daemon runs for {workspace.root}")


# The two outputs


def test_both_outputs_come_apart(plane, workspace):
    code, output, complaints = cli.run(plane, workspace.id, "sh", "-c", "echo to stdout; echo to stderr >&2")
    assert (code, output, complaints) == (0, b"to stdout\n", "to stderr\n")


def test_bytes_come_as_they_are(plane, local):
    code, output, complaints = cli.run(plane, local.id, "printf", r"\000\377\r\n\033[0m")
    assert (code, output, complaints) == (0, b"\0\xff\r\n\x1b[0m", "")


def test_a_little_on_one_output_does_not_stop_the_other(plane, local):
    code, output, complaints = cli.run(plane, local.id, "sh", "-c", "echo hi >&2; head -c 4000000 /dev/zero")
    assert (code, len(output), complaints) == (0, 4_000_000, "hi\n")


def test_interleaved_outputs_are_whole(plane, local):
    script = "for i in $(seq 300); do echo line $i >&2; head -c 10000 /dev/zero; done"
    code, output, complaints = cli.run(plane, local.id, "sh", "-c", script)
    assert (code, output) == (0, bytes(3_000_000))
    assert complaints == "".join(f"line {i}\n" for i in range(1, 301))


def test_many_tiny_writes_come(plane, local):
    """Each makes a message, and what they cost is far more than their bytes."""
    script = "import os, time\nfor i in range(25000): os.write(1, b'.'); time.sleep(0.0003)"
    code, output, complaints = cli.run(plane, local.id, "python3", "-c", script)
    assert (code, output, complaints) == (0, b"." * 25000, "")


def test_64_mib_come_exact_and_the_plane_keeps_none_of_it(plane, local):
    before = peak_memory(plane.process)
    script = 'import sys\nfor i in range(1024): sys.stdout.buffer.write(i.to_bytes(4, "big") * 16384)'
    digest, count = hashlib.sha256(), 0
    with cli.start(plane, local.id, "python3", "-c", script, stderr=subprocess.STDOUT) as process:
        while data := os.read(process.stdout.fileno(), MIB):
            digest.update(data)
            count += len(data)
        assert process.wait(10) == 0
    expected = hashlib.sha256(b"".join(i.to_bytes(4, "big") * 16384 for i in range(1024)))
    assert (count, digest.hexdigest()) == (64 * MIB, expected.hexdigest())
    assert peak_memory(plane.process) - before < 32 * MIB


def reason_of_the_last_cancel(plane, workspace):
    """Who or what had a call of the workspace cancelled, as the ledger has it."""
    found = subprocess.run(
        [cli.GATEHOUSE, "audit", "search", "--state", plane.state, "--kind", "call.cancelled", "--workspace", workspace,
         "--last", "1", "--json"], capture_output=True, check=True, timeout=20)
    return json.loads(found.stdout)["body"]["call_cancelled"]["reason"]


def test_a_reader_that_leaves_ends_the_command(plane, client, local):
    """At once: the plane is told, and does not wait for a client that may come back."""
    codes, output, complaints = cli.shell(f"{words(plane, local, 'yes')} </dev/null | head -1")
    assert (codes, output, complaints) == ([141, 0], b"y\n", "")
    cli.wait_until_ended(client, local.id)
    assert reason_of_the_last_cancel(plane, local.id) == "its owner went away"


def test_a_reader_that_leaves_ends_the_command_with_input_on_its_way(plane, client, local):
    codes, output, complaints = cli.shell(f"yes | {words(plane, local, 'yes')} | head -1")
    assert (codes[1:], output, complaints) == ([141, 0], b"y\n", "")
    cli.wait_until_ended(client, local.id)


def test_a_full_disk_is_named(plane, client, local):
    with open("/dev/full", "wb") as full, cli.start(plane, local.id, "yes", stdout=full) as process:
        code, _, complaints = process.end()
    assert code == 125
    assert "standard output: No space left on device" in complaints
    cli.wait_until_ended(client, local.id)
    assert reason_of_the_last_cancel(plane, local.id) == "its owner went away"


def test_an_output_that_was_never_open_is_named(plane, local):
    codes, _, complaints = cli.shell(f"{words(plane, local, 'echo', 'x')} >&-")
    assert codes == [125]
    assert "standard output: Bad file descriptor" in complaints


def test_an_output_that_was_never_open_is_not_missed_by_who_writes_none(plane, local):
    codes, _, complaints = cli.shell(f"{words(plane, local, 'true')} <&- >&-")
    assert (codes, complaints) == ([0], "")


def words(plane, workspace, *argv):
    """A `gatehouse exec` for a shell's line."""
    return " ".join(f"'{word}'" for word in cli.exec_command(plane, workspace.id, *argv))


# Input


@pytest.mark.parametrize("size", [0, 1, 200_000, 16 * MIB])
def test_input_reaches_the_command(plane, local, size):
    data = os.urandom(size)
    code, output, complaints = cli.run(plane, local.id, "sha256sum", input=data)
    assert (code, complaints) == (0, "")
    assert output.split()[0].decode() == hashlib.sha256(data).hexdigest()


def test_input_and_output_at_once(plane, workspace):
    data = os.urandom(4 * MIB)
    code, output, complaints = cli.run(plane, workspace.id, "cat", input=data)
    assert (code, complaints) == (0, "")
    assert hashlib.sha256(output).digest() == hashlib.sha256(data).digest()


def test_a_command_may_leave_its_input(plane, local):
    codes, output, complaints = cli.shell(f"yes | {words(plane, local, 'head', '-c', '2')}")
    assert (codes[1], output, complaints) == (0, b"y\n", "")


def test_input_that_was_never_open_is_an_end(plane, local):
    codes, output, complaints = cli.shell(f"{words(plane, local, 'wc', '-c')} <&-")
    assert (codes, output, complaints) == ([0], b"0\n", "")


# Exit codes


@pytest.mark.parametrize(("script", "expected"), [
    ("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -9 $$", 137), ("kill -15 $$", 143), ("kill -2 $$", 130),
])
def test_the_commands_own_end_is_the_exit_code(plane, local, script, expected):
    code, output, _ = cli.run(plane, local.id, "sh", "-c", script)
    assert (code, output) == (expected, b"")


def test_a_deadline_is_124_and_nothing_is_left(plane, local):
    code, output, complaints = cli.run(
        plane, local.id, "sh", "-c", "sleep 1000 & echo $$ $!; wait", options=["--timeout", "1"])
    assert code == 124
    assert "deadline" in complaints
    assert all(cli.is_gone(pid) for pid in output.split())


def test_what_is_not_executable_is_126_and_what_is_not_there_127(plane, local):
    (local.root / "plain").write_text("no program")
    (local.root / "plain").chmod(0o644)
    code, _, complaints = cli.run(plane, local.id, "./plain")
    assert code == 126 and "plain" in complaints
    code, _, complaints = cli.run(plane, local.id, "no-such-program")
    assert code == 127 and "no-such-program" in complaints


def test_no_such_workspace_is_125(plane):
    code, output, complaints = cli.run(plane, "nowhere", "true")
    assert (code, output) == (125, b"")
    assert "nowhere" in complaints and "see: gatehouse workspace list" in complaints


@pytest.mark.parametrize("command", [
    ["exec", "w", "--", "true"], ["call", "invoke", "w", "files.list"], ["call", "follow", "call_1"],
])
def test_a_plane_that_cannot_be_reached_is_125(plane, tmp_path, command):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = "127.0.0.1:%d" % closed.getsockname()[1]
    place = command.index("w") if "w" in command else len(command)
    ended = subprocess.run(
        [cli.GATEHOUSE, *command[:place], "--state", plane.state, "--plane", address, *command[place:]],
        capture_output=True, text=True, timeout=20)
    assert (ended.returncode, ended.stdout) == (125, "")
    assert address in ended.stderr and len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", [
    ["exec", "w", "--", "true"], ["call", "invoke", "w", "files.list"], ["call", "follow", "call_1"],
])
def test_no_identity_is_125(tmp_path, command):
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    ended = subprocess.run([cli.GATEHOUSE, *command], capture_output=True, text=True, timeout=20, env=environment)
    assert (ended.returncode, ended.stdout) == (125, "")
    assert "cert.pem" in ended.stderr and "GATEHOUSE_CERT" in ended.stderr


# Signals


def test_an_interrupt_ends_the_command_and_all_it_started(plane, local):
    with cli.start(plane, local.id, "sh", "-c", "sleep 1000 & echo $$ $!; wait") as process:
        pids = process.expect(" ").split()
        cli.interrupt(process)
        code, _, complaints = process.end()
    assert code == 130
    assert "everything it started was ended" in complaints
    assert all(cli.is_gone(pid) for pid in pids)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_ends_of_a_terminal_do_so_too(plane, local, number):
    with cli.start(plane, local.id, "sh", "-c", "echo $$; exec sleep 1000") as process:
        pid = process.expect("\n").strip()
        process.send_signal(number)
        assert process.end()[0] == 130
    assert cli.is_gone(pid)


STUBBORN = """
import os, signal, time
for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
    signal.signal(number, signal.SIG_IGN)
print(os.getpid(), flush=True)
while True:
    time.sleep(100)
"""


def test_a_command_that_ignores_signals_ends_all_the_same(plane, local):
    with cli.start(plane, local.id, "python3", "-c", STUBBORN) as process:
        pid = process.expect("\n").strip()
        cli.interrupt(process)
        assert process.end()[0] == 130
    assert cli.is_gone(pid)


def leaves_at_once(process):
    """Interrupts twice; the second one leaves."""
    cli.interrupt(process)
    process.expect("once more leaves without waiting", "stderr")
    cli.interrupt(process)
    assert process.wait(2) == 130
    assert "left without waiting" in process.stderr.read().decode()


def test_a_second_interrupt_leaves_at_once(plane, client, local):
    with cli.start(plane, local.id, "python3", "-c", STUBBORN) as process:
        pid = process.expect("\n").strip()
        leaves_at_once(process)
    wait_until(lambda: cli.is_gone(pid), "the plane did not end what was left to it")


def test_a_second_interrupt_leaves_with_input_on_its_way(plane, client, local):
    with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as source:
        with cli.start(plane, local.id, "python3", "-c", STUBBORN, stdin=source.stdout) as process:
            process.expect("\n")
            leaves_at_once(process)
        source.kill()
    cli.wait_until_ended(client, local.id)


def test_a_second_interrupt_leaves_when_nobody_reads_the_output(plane, client, local):
    with cli.start(plane, local.id, "yes") as process:
        wait_until(lambda: cli.waiting_bytes(process.stdout) >= 60_000, "the pipe did not fill")
        leaves_at_once(process)
    cli.wait_until_ended(client, local.id)


def never_accepts(requests, context):
    ended = threading.Event()
    context.add_callback(ended.set)
    yield tools_pb2.InvokeResponse(chunk=call_pb2.Chunk(stream=call_pb2.STREAM_STDOUT, data=b"up\n"))
    ended.wait(50)


def test_a_second_interrupt_leaves_a_plane_that_accepts_nothing(plane):
    with FakePlane(plane, never_accepts) as fake:
        with cli.start(plane, "w", "true", options=fake.options) as process:
            process.expect("up")
            leaves_at_once(process)


def test_an_interrupt_leaves_a_plane_that_does_not_answer(plane):
    """Nothing runs yet: the signal does what it does to any program."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = "127.0.0.1:%d" % silent.getsockname()[1]
        with cli.start(plane, "w", "true", options=["--plane", address]) as process:
            with silent.accept()[0]:
                cli.interrupt(process)
                assert process.wait(2) in (-signal.SIGINT, 130)


# What breaks


def complaint_of_a_lost_plane(process):
    code, _, complaints = process.end()
    assert code == 125
    return complaints


def test_a_plane_that_is_killed_is_named(own):
    with cli.start(own.plane, own.id, "sh", "-c", "echo up; exec sleep 1000", options=("--reconnect", "0")) as process:
        process.expect("up")
        own.plane.kill()
        complaints = complaint_of_a_lost_plane(process)
    assert complaints.startswith("gatehouse: lost: ")
    assert own.plane.listen in complaints and "call_" in complaints and "gatehouse call list" not in complaints


def test_a_plane_that_is_killed_with_input_on_its_way_is_named(own):
    with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as source:
        with cli.start(own.plane, own.id, "sh", "-c", "echo up; exec sleep 1000", stdin=source.stdout,
                       options=("--reconnect", "0")) as process:
            process.expect("up")
            own.plane.kill()
            complaints = complaint_of_a_lost_plane(process)
        source.kill()
    assert own.plane.listen in complaints


def test_a_plane_that_stops_is_named(own):
    with cli.start(own.plane, own.id, "sh", "-c", "echo up; exec sleep 1000", options=("--reconnect", "1s")) as process:
        process.expect("up")
        own.plane.stop()
        complaints = complaint_of_a_lost_plane(process)
    *_, last = complaints.splitlines()
    assert "(the plane is stopping; try again soon)" in complaints and "goes on, reconnecting" in complaints
    assert "was cut" not in complaints
    assert "lost: the plane did not come back" in last and "call_" in last and own.plane.listen in last


def test_output_goes_on_exact_when_the_daemon_is_killed(own):
    """The next one has not seen all bytes, so it gives their count and no digest."""
    gate = own.root / "gate"
    script = "echo line1; while [ ! -e gate ]; do sleep 0.05; done; echo line2"
    with cli.start(own.plane, own.id, "sh", "-c", script) as process:
        process.expect("line1")
        os.kill(daemon_of(own), signal.SIGKILL)
        process.expect("was cut; resuming", "stderr")
        # Refused where the plane has begun to do so by itself.
        subprocess.run([cli.GATEHOUSE, "workspace", "start", "--state", own.plane.state, own.id], timeout=30)
        gate.touch()
        code, output, complaints = process.end()
    log = own.plane.state / "workspaces" / own.id / "daemon.log"
    assert (code, output) == (0, b"line2\n"), complaints + log.read_text()


def answer(*responses):
    """A plane that accepts a call and says these things."""
    def invoke(requests, context):
        yield tools_pb2.InvokeResponse(accepted=tools_pb2.Accepted(call_id="call_1"))
        yield from responses
    return invoke


def chunk(offset, data=b"x"):
    return tools_pb2.InvokeResponse(chunk=call_pb2.Chunk(stream=call_pb2.STREAM_STDOUT, offset=offset, data=data))


def gap(offset, length):
    return tools_pb2.InvokeResponse(gap=call_pb2.Gap(stream=call_pb2.STREAM_STDOUT, offset=offset, length=length))


def ended(outcome=call_pb2.OUTCOME_EXITED, **fields):
    return tools_pb2.InvokeResponse(exit=call_pb2.Exit(outcome=outcome, **fields))


TOTAL = call_pb2.StreamTotal(stream=call_pb2.STREAM_STDOUT, bytes=1, sha256=hashlib.sha256(b"x").digest())


@pytest.mark.parametrize("responses", [
    [],
    [chunk(1)],
    [chunk(0), chunk(0)],
    [gap(2**64 - 1, 2**64 - 1)],
    [chunk(0), gap(1, 2**64 - 1)],
    [chunk(0, b"y"), ended(totals=[TOTAL])],
    [chunk(0, b"xx"), ended(totals=[TOTAL])],
    [gap(0, 5), ended(totals=[TOTAL])],
], ids=["no end", "a hole", "bytes twice", "a gap nowhere", "a gap to nowhere", "other bytes", "too many", "too many lost"])
def test_a_plane_that_makes_no_sense_is_125(plane, responses):
    with FakePlane(plane, answer(*responses)) as fake:
        code, _, complaints = cli.run(plane, "w", "true", options=fake.options)
    assert code == 125, complaints
    assert "gatehouse: " in complaints.splitlines()[-1]


@pytest.mark.parametrize(("end", "expected"), [
    (ended(code=256), 255), (ended(code=-1), 255),
    (ended(call_pb2.OUTCOME_SIGNALLED, signal=2**31 - 1), 255), (ended(call_pb2.OUTCOME_SIGNALLED, signal=-5), 255),
])
def test_an_exit_that_is_none_is_no_success(plane, end, expected):
    with FakePlane(plane, answer(end)) as fake:
        assert cli.run(plane, "w", "true", options=fake.options)[0] == expected


def test_an_answer_that_is_none_is_125(plane):
    with FakePlane(plane, answer(ended(response=b"\xff\xff"))) as fake:
        ended_program = subprocess.run(
            [cli.GATEHOUSE, "call", "invoke", "--state", plane.state, *fake.options, "w", "files.stat"],
            capture_output=True, text=True, timeout=20)
    assert (ended_program.returncode, ended_program.stdout) == (125, "")
    assert "StatResponse" in ended_program.stderr


# Options


def test_folder_and_environment(plane, local):
    (local.root / "below").mkdir(exist_ok=True)
    code, output, _ = cli.run(
        plane, local.id, "sh", "-c", "pwd; echo $A-$B", options=["--cwd", "below", "-e", "A=1=2", "--env", "B="])
    assert (code, output.decode()) == (0, f"{local.root}/below\n1=2-\n")


def test_a_folder_that_is_not_there_is_named(plane, local):
    code, _, complaints = cli.run(plane, local.id, "pwd", options=["--cwd", "no-such-folder"])
    assert code == 125 and "no folder 'no-such-folder'" in complaints


def test_json_is_all_that_is_on_stdout(plane, local):
    code, output, complaints = cli.run(
        plane, local.id, "sh", "-c", "echo out; echo err >&2; exit 3", options=["--json"])
    assert (code, complaints) == (3, "")
    messages = [json.loads(line) for line in output.splitlines()]
    assert messages[0]["accepted"]["call_id"].startswith("call_")
    for stream, expected in (("STREAM_STDOUT", b"out\n"), ("STREAM_STDERR", b"err\n")):
        chunks = [message["chunk"] for message in messages if "chunk" in message]
        assert b"".join(base64.b64decode(each["data"]) for each in chunks if each["stream"] == stream) == expected
    assert (messages[-1]["exit"]["outcome"], messages[-1]["exit"]["code"]) == ("OUTCOME_EXITED", 3)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_are_printed(shell):
    script = subprocess.run(
        [cli.GATEHOUSE, "--generate-completion-script", shell], capture_output=True, text=True, timeout=20)
    assert script.returncode == 0
    assert "exec" in script.stdout and "workspace" in script.stdout
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=script.stdout, text=True, check=True, timeout=20)


# A terminal


class Terminal:
    """A terminal of so many rows and columns, and a program that has it as its own."""

    def __init__(self, command, rows, columns):
        self.main, self.side = os.openpty()
        self.resize(rows, columns)
        self.mode = termios.tcgetattr(self.side)
        self.process = cli.Running(
            ["setsid", "--ctty", *command], stdin=self.side, stdout=self.side, stderr=self.side,
            start_new_session=False)
        self.pipe = os.fdopen(self.main, "rb", 0)

    def resize(self, rows, columns):
        fcntl.ioctl(self.main, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def expect(self, text):
        self.process.stdout = self.pipe
        line = self.process.expect(text)
        self.process.stdout = None
        return line

    def type(self, text):
        os.write(self.main, text)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.wait()
        self.pipe.close()
        os.close(self.side)


def test_a_terminal_has_our_size_and_hears_of_a_new_one(plane, local):
    script = "stty size; trap 'stty size; exit 4' WINCH; echo ready; while :; do sleep 0.05; done"
    command = cli.exec_command(plane, local.id, "sh", "-c", script, options=["--tty"])
    with Terminal(command, 30, 90) as terminal:
        terminal.expect("30 90")
        terminal.expect("ready")
        terminal.resize(41, 102)
        terminal.expect("41 102")
        assert terminal.process.wait(10) == 4
        assert termios.tcgetattr(terminal.side) == terminal.mode


def test_a_key_for_interrupts_goes_to_the_command(plane, local):
    command = cli.exec_command(plane, local.id, "sh", "-c", "echo ready; exec sleep 1000", options=["--tty"])
    with Terminal(command, 24, 80) as terminal:
        terminal.expect("ready")
        terminal.type(b"\x03")
        assert terminal.process.wait(10) == 130
        assert termios.tcgetattr(terminal.side) == terminal.mode


def test_without_tty_an_interrupt_key_cancels(plane, local):
    command = cli.exec_command(plane, local.id, "sh", "-c", "echo $$ ready; exec sleep 1000")
    with Terminal(command, 24, 80) as terminal:
        pid = terminal.expect("ready").split()[0]
        terminal.type(b"\x03")
        terminal.expect("stopping the command")
        assert terminal.process.wait(10) == 130
    assert cli.is_gone(pid)


def test_a_terminal_needs_one_here(plane, local):
    code, _, complaints = cli.run(plane, local.id, "true", options=["--tty"])
    assert code == 64
    assert "standard input is none; leave --tty out" in complaints


# The agent's words go the same way


def run_agent(own, output):
    return subprocess.run(
        [cli.GATEHOUSE, "run", "--state", own.plane.state, "--workspace", own.id, "--model", "script", "say something"],
        stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.PIPE, timeout=40)


def test_an_agents_words_are_output_and_a_full_disk_is_named(own):
    ended = run_agent(own, subprocess.PIPE)
    assert (ended.returncode, ended.stdout) == (0, b"an agent's words\n")
    with open("/dev/full", "wb") as full:
        ended = run_agent(own, full)
    assert ended.returncode == 125
    assert b"standard output: No space left on device" in ended.stderr
