"""A plane that stops and starts again."""
import os
import pytest
import cli
from fakes import RefusesFirst
from gatehouse.plane.v1 import workspaces_pb2
from plane import Local, Plane, wait_until

# Prints a block of lines on both outputs, waits until the test says go, and so on; ends with code 7.
BLOCKS = """
for block in 1 2 3 4; do
  i=0; while [ $i -lt 2000 ]; do echo "out $block $i"; echo "err $block $i" >&2; i=$((i+1)); done
  echo "block $block"
  while [ $block -lt 4 ] && [ ! -e go$block ]; do sleep 0.05; done
done
exit 7
"""


@pytest.fixture
def own_plane(tmp_path):
    plane = Plane(tmp_path / "state")
    yield plane
    plane.stop()


def test_a_plane_stops_cleanly_and_starts_with_the_same_keys(own_plane):
    authority = (own_plane.state / "pki" / "ca.pem").read_bytes()
    assert (own_plane.state / "client" / "key.pem").stat().st_mode & 0o777 == 0o600
    own_plane.stop()
    own_plane.start()
    assert (own_plane.state / "pki" / "ca.pem").read_bytes() == authority
    client = own_plane.client()
    assert list(client.list()) == []
    client.close()


def test_a_local_workspace_is_found_again(own_plane, tmp_path):
    client = own_plane.client()
    workspace = Local(own_plane, client, tmp_path / "local", "lasting")
    (workspace.root / "kept").write_text("still here")
    client.close()
    own_plane.stop()
    own_plane.start()
    workspace.client = client = own_plane.client()
    try:
        is_linked = lambda: client.workspace(workspace.id).state == workspaces_pb2.WORKSPACE_STATE_LINKED
        wait_until(is_linked, "its daemon did not link again")
        assert client.exec(workspace.id, "cat", "kept").result().stdout == b"still here"
    finally:
        workspace.close()
        client.close()


@pytest.fixture
def workspace(own_plane, tmp_path):
    client = own_plane.client()
    workspace = Local(own_plane, client, tmp_path / "local", "lasting")
    client.close()
    yield workspace
    workspace.client = client = own_plane.client()
    workspace.close()
    client.close()


def expected(name):
    lines = []
    for block in range(1, 5):
        lines += [f"{name} {block} {i}" for i in range(2000)] + ([f"block {block}"] if name == "out" else [])
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize("ends", [("kill", "kill", "kill"), ("stop", "kill", "stop")])
def test_a_command_goes_on_across_three_restarts_of_the_plane(own_plane, workspace, tmp_path, ends):
    complaints = tmp_path / "complaints"
    with open(complaints, "wb") as errors, \
            cli.start(own_plane, "lasting", "sh", "-c", BLOCKS, stderr=errors) as running:
        output = ""
        for block, end in enumerate(ends, 1):
            while not output.endswith(f"block {block}\n"):
                output += cli.read_line(running.stdout, 30)
            getattr(own_plane, end)()
            own_plane.start()
            (workspace.root / f"go{block}").touch()
        code, rest, _ = running.end(40)
    assert (code, output + rest.decode()) == (7, expected("out"))
    talk = complaints.read_text().splitlines(keepends=True)
    assert "".join(line for line in talk if line.startswith("err ")) == expected("err")
    assert sum("the plane is back; it goes on" in line for line in talk) >= 3, "".join(talk[-20:])


def test_what_ended_while_there_was_no_plane_is_heard_of(own_plane, workspace):
    script = 'echo begun; while [ ! -e go ]; do sleep 0.05; done; echo "the rest"; touch done; exit 3'
    with cli.start(own_plane, "lasting", "sh", "-c", script) as running:
        running.expect("begun")
        own_plane.kill()
        (workspace.root / "go").touch()
        wait_until((workspace.root / "done").exists, "the command did not go on by itself")
        own_plane.start()
        assert running.end(40)[:2] == (3, b"the rest\n")


def test_who_follows_a_call_goes_on_too(own_plane, workspace):
    script = 'echo begun; while [ ! -e go ]; do sleep 0.05; done; echo "the rest"; exit 3'
    with cli.start(own_plane, "lasting", "sh", "-c", script) as running:
        running.expect("begun")
        client = own_plane.client()
        [call] = [call.call_id for call in client.list()]
        client.close()
        command = [str(cli.GATEHOUSE), "call", "follow", "--state", str(own_plane.state), call]
        with cli.Running(command) as following:
            following.expect("begun")
            own_plane.kill()
            own_plane.start()
            (workspace.root / "go").touch()
            assert running.end(40)[:2] == (3, b"the rest\n")
            code, output, complaints = following.end(40)
    assert (code, output) == (3, b"the rest\n"), complaints
    assert "reconnecting" in complaints and "the plane is back; the call goes on" in complaints


def test_a_call_is_followed_from_where_one_is(own_plane, workspace):
    assert cli.run(own_plane, "lasting", "sh", "-c", "echo hello; echo oh >&2")[:2] == (0, b"hello\n")
    client = own_plane.client()
    [call] = [call.call_id for call in client.list()]
    client.close()
    command = [str(cli.GATEHOUSE), "call", "follow", "--state", str(own_plane.state), "--from", "stdout=2", call]
    with cli.Running(command) as following:
        assert following.end() == (0, b"llo\n", "oh\n")
    with cli.Running([*command[:-2], "stdout=x", call]) as wrong:
        code, _, complaints = wrong.end()
    assert code == 64 and "stream=offset" in complaints


def test_input_arrives_once_across_a_restart(own_plane, workspace):
    parts = [os.urandom(50_000) for _ in range(3)]
    copy = workspace.root / "copy"
    with cli.start(own_plane, "lasting", "sh", "-c", "cat > copy; wc -c < copy", stdin=cli.PIPE) as running:
        for number, part in enumerate(parts, 1):
            running.stdin.write(part)
            wait_until(lambda: copy.exists() and copy.stat().st_size == number * 50_000, "the command did not take it")
            own_plane.kill()
            own_plane.start()
        running.stdin.close()
        running.stdin = None
        code, output, _ = running.end(40)
    assert (code, output) == (0, b"150000\n")
    assert copy.read_bytes() == b"".join(parts)


def test_an_idempotency_key_stands_for_its_call_after_a_restart(own_plane, workspace):
    options = ("--idempotency-key", "once", "--request", '{"path": "bm90ZQ==", "content": "eA=="}')
    command = [str(cli.GATEHOUSE), "call", "invoke", "--state", str(own_plane.state), *options, "lasting", "files.write"]
    with cli.Running(command) as first:
        assert first.end()[0] == 0
    (workspace.root / "note").unlink()
    own_plane.kill()
    own_plane.start()
    with cli.Running(command) as again:
        code, output, complaints = again.end()
    assert code == 0, complaints
    assert not (workspace.root / "note").exists(), "it was done twice"


def test_a_command_that_a_stopping_plane_did_not_look_at_is_asked_for_again(own_plane, workspace):
    with RefusesFirst(own_plane) as front:
        code, output, complaints = cli.run(own_plane, "lasting", "sh", "-c", "echo once >> runs; cat runs", options=front.options)
    assert (code, output) == (0, b"once\n"), complaints
    assert "reconnecting" in complaints


def test_a_request_that_a_stopping_plane_did_not_look_at_says_so(own_plane, workspace):
    with RefusesFirst(own_plane) as front:
        with cli.Running([str(cli.GATEHOUSE), "workspace", "list", "--state", str(own_plane.state), *front.options]) as listing:
            code, output, complaints = listing.end()
    assert (code, output) == (1, b"")
    assert "did not take the call: nothing was done; try again" in complaints
