"""Output that is kept on the plane's disk: read whole by who comes later, also after a kill, and erased with its chat."""
import base64, contextlib, json, os, shutil, signal, subprocess, urllib.request
import pytest
import cli
from gatehouse.tools.v1 import tools_pb2
from gatehouse.tools.v1 import call_pb2, process_pb2
from plane import Local, Plane, read_line, wait_until
from test_audit import audit, own, run_chat, search  # `own` is a fixture

MIB = 1 << 20


def followed(plane, call):
    """What `gatehouse call follow` prints of a call, from its start to its end."""
    ended = subprocess.run(
        [cli.GATEHOUSE, "call", "follow", "--state", plane.state, call], capture_output=True, timeout=90)
    assert ended.returncode == 0, ended.stderr
    assert b"lost" not in ended.stderr, ended.stderr
    return ended.stdout


def detached(plane, workspace, script, **start):
    """A command that nobody waits for; gives its call's id."""
    client = plane.client()
    call = client.exec(workspace.id, "sh", "-c", script, **{"detach": True, **start})
    client.close()
    return call.call_id


def metric(plane, name):
    page = urllib.request.urlopen(f"http://{plane.admin}/metrics", timeout=10).read().decode()
    return sum(float(line.split()[-1]) for line in page.splitlines() if line.startswith(name))


def wait_for_end(plane, workspace):
    client = plane.client()
    cli.wait_until_ended(client, workspace.id)
    client.close()


def test_64_mib_that_nobody_read_are_whole_before_and_after_a_kill(own):
    plane, expected = own.plane, os.urandom(64 * MIB)
    (own.root / "large").write_bytes(expected)
    call = detached(plane, own, "cat large")
    wait_for_end(plane, own)
    assert followed(plane, call) == expected
    assert metric(plane, "gatehouse_spool_bytes") >= 64 * MIB
    assert metric(plane, "gatehouse_spool_failures_total") == 0
    plane.kill()
    plane.start()
    assert followed(plane, call) == expected
    client = plane.client()
    assert client.poll(call).exit.code == 0
    client.close()


def test_a_kill_in_the_middle_loses_and_repeats_nothing(own):
    plane, expected = own.plane, os.urandom(48 * MIB)
    (own.root / "large").write_bytes(expected)
    call = detached(plane, own, "head -c 20000001 large; while [ ! -e go ]; do sleep 0.05; done; tail -c +20000002 large")
    for part in range(3):
        at_least = (part + 1) * 5 * MIB
        if part == 0:
            wait_until(lambda: metric(plane, "gatehouse_spool_written_bytes_total") >= at_least, "nothing was written")
        plane.kill()
        plane.start()
        (own.root / "go").touch()
    wait_for_end(plane, own)
    assert followed(plane, call) == expected


def test_a_kill_while_output_flows_loses_and_repeats_nothing(own):
    plane = own.plane
    call = detached(plane, own, "i=0; while [ $i -lt 60000 ]; do echo line $i; i=$((i+1)); done")
    for _ in range(3):
        plane.kill()
        plane.start()
    wait_for_end(plane, own)
    assert followed(plane, call) == b"".join(b"line %d\n" % i for i in range(60000))


def test_a_chats_output_goes_with_the_chat(tmp_path):
    transcript = tmp_path / "script.json"
    say = lambda words: {"calls": [{"tool": "process.shell", "arguments": {"script": f"echo {words} | tr a-z A-Z"}}]}
    transcript.write_text(json.dumps({"name": "script", "steps": [say("a secret read aloud"), {"text": "done"}]}))
    plane = Plane(tmp_path / "state", "--script", transcript)
    client = plane.client()
    workspace = Local(plane, client, tmp_path / "local", "own")
    marker = b"A SECRET READ ALOUD"
    copies = lambda: sum(marker in file.read_bytes() for file in (plane.state / "spool").iterdir())
    try:
        chats = [run_chat(plane) for _ in range(2)]
        calls = [search(plane, "--chat", chat, "--kind", "call.intended")[0]["header"]["call"] for chat in chats]
        assert copies() == 2
        assert followed(plane, calls[0]).strip() == marker
        audit(plane, "erase", chats[0], "--rule", "asked for")
        assert copies() == 1
        client.close()
        plane.kill()
        plane.start()
        assert copies() == 1
        assert followed(plane, calls[1]).strip() == marker
        client = workspace.client = plane.client()
    finally:
        workspace.close()
        client.close()
        plane.stop()


@pytest.fixture
def small(tmp_path):
    """A plane that keeps 2 MiB of each call's output."""
    plane = Plane(tmp_path / "state", settings="calls: {kept_output: 2 MiB, log_window: 64 KiB}")
    client = plane.client()
    workspace = Local(plane, client, tmp_path / "local", "own")
    workspace.plane = plane
    yield workspace
    workspace.close()
    client.close()
    plane.stop()


def test_beyond_its_quota_the_oldest_goes_where_that_was_asked_for(small):
    expected = os.urandom(12 * MIB)
    (small.root / "large").write_bytes(expected)
    rule = call_pb2.OutputRule(when_full=call_pb2.OutputRule.WHEN_FULL_DROP_OLDEST)
    client = small.plane.client()
    call = client.invoke(
        small.id, "process.exec", process_pb2.ExecRequest(argv=[b"cat", b"large"], output=rule), detach=True).call_id
    client.close()
    wait_for_end(small.plane, small)
    ended = subprocess.run(
        [cli.GATEHOUSE, "call", "follow", "--json", "--state", small.plane.state, call], capture_output=True, timeout=60)
    assert ended.returncode == 0
    # The daemon's ring drops what the plane does not take in time, so there may be more gaps than the first.
    position, kept = 0, 0
    for event in map(json.loads, ended.stdout.splitlines()):
        if gap := event.get("gap"):
            assert int(gap.get("offset", 0)) == position
            position += int(gap["length"])
        if chunk := event.get("chunk"):
            data = base64.b64decode(chunk["data"])
            assert int(chunk.get("offset", 0)) == position and expected[position:position + len(data)] == data
            position, kept = position + len(data), kept + len(data)
    assert position == len(expected) and MIB // 2 < kept <= 2 * MIB


def test_else_a_command_that_nobody_reads_waits_and_that_is_said(small, tmp_path):
    expected = os.urandom(12 * MIB)
    (small.root / "large").write_bytes(expected)
    call = detached(small.plane, small, "cat large")
    follow = [cli.GATEHOUSE, "call", "follow", "--state", small.plane.state, call]
    with open(tmp_path / "output", "wb") as output, cli.Running(follow, stdout=output) as running:
        running.expect("the command waits", "stderr")
        # That is said ahead of what the follower has yet to read.
        wait_until(lambda: (tmp_path / "output").stat().st_size >= MIB, "the follower did not get what is kept")
    assert expected.startswith((tmp_path / "output").read_bytes())
    assert metric(small.plane, "gatehouse_spool_stalls_total") >= 1
    assert "call_output_not_kept" in small.plane.log.read_text()
    client = small.plane.client()
    client.cancel(call)
    client.close()
    wait_for_end(small.plane, small)


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("strace"), reason="takes strace, and root: the plane lets nobody else look into it")
def test_a_disk_that_syncs_nothing_costs_no_call_anything(own):
    plane = own.plane
    (own.root / "large").write_bytes(expected := os.urandom(3 * MIB))
    files = [word for number in range(1, 17) for word in ("-P", plane.state / "spool" / str(number))]
    tracer = subprocess.Popen(
        ["strace", "-f", "-p", str(plane.process.pid), *files, "-e", "trace=fdatasync",
         "-e", "inject=fdatasync:error=EIO", "-o", "/dev/null"], stderr=subprocess.PIPE, bufsize=0)
    client = plane.client()
    try:
        while "attached" not in (line := read_line(tracer.stderr, 10)):
            assert line.endswith("\n"), line
        call = client.exec(own.id, "cat", "large", log=tools_pb2.LOG_RULE_KEEP)
        assert call.result().stdout == expected
        assert metric(plane, 'gatehouse_spool_failures_total{operation="sync"}') >= 1
        assert "call_output_not_kept" in plane.log.read_text()
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait(10)
    client.close()
    # The next call is kept as ever.
    assert followed(plane, detached(plane, own, "cat large")) == expected
