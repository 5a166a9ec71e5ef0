"""Output that is kept on the plane's disk: read whole by who comes later, also after a kill, and erased with its chat."""
import contextlib, json, os, subprocess, urllib.request
import pytest
import cli
from gatehouse.tools.v1 import tools_pb2
from plane import Local, Plane, wait_until
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
