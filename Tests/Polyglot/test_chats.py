"""Chats whose plane is killed, at each place where it matters."""
import json, subprocess
import pytest
import cli
from gatehouse.plane.v1 import chats_pb2, workspaces_pb2
from plane import Local, Plane, wait_until

WORDS = " ".join(str(number) for number in range(1, 301))
SCRIPT = "echo begun; echo x >> starts; while [ ! -e go ]; do sleep 0.05; done; seq 1 20000; echo x >> ends"


@pytest.fixture
def stage(tmp_path):
    """A plane that plays a transcript, with one workspace: `stage(steps)`."""
    parts = []

    def begin(steps, pace=0):
        transcript = tmp_path / "script.json"
        transcript.write_text(json.dumps({"name": "script", "pace_ms": pace, "steps": steps}))
        plane = Plane(tmp_path / "state", "--script", transcript)
        client = plane.client()
        workspace = Local(plane, client, tmp_path / "local", "own")
        parts.extend((plane, workspace, client))
        return plane, workspace

    yield begin
    plane, workspace, client = parts
    client.close()
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


def start(plane):
    return subprocess.Popen(
        [cli.GATEHOUSE, "run", "go on", "--workspace", "own", "--model", "script", "--state", plane.state, "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def events_until(process, is_enough):
    """Events that `run --json` prints, up to one; all of them when it ends before."""
    events = []
    for line in process.stdout:
        events.append(json.loads(line))
        if is_enough(events[-1]):
            break
    return events


def rest(process):
    events = events_until(process, lambda event: False)
    complaints = process.stderr.read()
    return process.wait(30), events, complaints


def output(events):
    import base64
    return b"".join(base64.b64decode(event["tool_output"]["data"]) for event in events if "tool_output" in event)


def texts(events):
    return "".join(event["text"].get("text", "") for event in events if "text" in event)


def check_numbers(events):
    assert [int(event["sequence"]) for event in events] == list(range(1, len(events) + 1))


def test_a_plane_killed_in_the_middle_of_an_answer(stage):
    plane, _ = stage([{"text": WORDS}], pace=20)
    with start(plane) as process:
        before = events_until(process, lambda event: texts([event]).strip() == "5")
        plane.kill()
        plane.start()
        code, after, complaints = rest(process)
    events = before + after
    assert code == 0, (complaints, events[-1])
    assert "reconnecting" in complaints and "the plane is back" in complaints
    check_numbers(events)
    cut = next(index for index, event in enumerate(events) if "retrying" in event)
    assert 0 < len(texts(events[:cut])) < len(WORDS)
    # The answer that is asked for again says the same: no word of it is told twice.
    assert texts(events) == WORDS


def test_each_cut_is_told_and_each_return(stage):
    plane, _ = stage([{"text": WORDS}], pace=20)
    with start(plane) as process:
        for word in ("5", "9"):
            events_until(process, lambda event: texts([event]).strip() == word)
            plane.kill()
            plane.start()
        code, events, complaints = rest(process)
    assert code == 0, (complaints, events[-1])
    assert complaints.count("reconnecting") == complaints.count("the plane is back") >= 2, complaints


COMMAND = [{"calls": [{"tool": "process.shell", "arguments": {"script": SCRIPT}}]}, {"text": "done"}]
WHOLE = b"begun\n" + b"".join(b"%d\n" % number for number in range(1, 20001))


def has_begun(event):
    return "tool_output" in event


def check_command(workspace, code, events, complaints):
    assert code == 0, (complaints, events[-1])
    check_numbers(events)
    assert (workspace.root / "starts").read_text() == "x\n"
    assert output(events) == WHOLE
    assert sum("tool_started" in event for event in events) == sum("tool_ended" in event for event in events) == 1
    assert next(event for event in events if "tool_ended" in event)["tool_ended"]["outcome"] == "OUTCOME_EXITED"
    assert texts(events) == "done"


def test_a_plane_killed_during_a_command(stage):
    plane, workspace = stage(COMMAND)
    with start(plane) as process:
        before = events_until(process, has_begun)
        plane.kill()
        plane.start()
        (workspace.root / "go").touch()
        code, after, complaints = rest(process)
    check_command(workspace, code, before + after, complaints)


def test_a_plane_killed_between_a_command_and_its_result(stage):
    plane, workspace = stage(COMMAND)
    with start(plane) as process:
        before = events_until(process, has_begun)
        plane.kill()
        (workspace.root / "go").touch()
        wait_until((workspace.root / "ends").exists, "the command did not go on without the plane")
        plane.start()
        code, after, complaints = rest(process)
    check_command(workspace, code, before + after, complaints)


def test_a_chat_goes_on_through_three_restarts(stage):
    plane, workspace = stage(COMMAND)
    with start(plane) as process:
        before = events_until(process, has_begun)
        for how in (plane.kill, plane.stop, plane.kill):
            how()
            plane.start()
        (workspace.root / "go").touch()
        code, after, complaints = rest(process)
    check_command(workspace, code, before + after, complaints)


def test_more_is_said_in_a_chat_after_a_restart(stage):
    plane, _ = stage([{"text": "one"}, {"text": "two"}])
    with start(plane) as process:
        code, _, complaints = rest(process)
    assert code == 0, complaints
    plane.kill()
    plane.start()
    client = plane.client()
    chat = client.chats.List(chats_pb2.ListChatsRequest(), timeout=10).chats[0]
    client.close()
    assert (chat.state, chat.turns) == (chats_pb2.CHAT_STATE_COMPLETED, 1)
    said = subprocess.run([cli.GATEHOUSE, "chat", "send", chat.chat_id, "and?", "--state", plane.state],
                          capture_output=True, text=True, timeout=30)
    assert (said.returncode, said.stdout) == (0, "two\n"), said.stderr
    shown = subprocess.run([cli.GATEHOUSE, "chat", "show", chat.chat_id, "--state", plane.state],
                           capture_output=True, text=True, timeout=30)
    assert (shown.returncode, shown.stdout) == (0, "one\ntwo\n"), shown.stderr
    assert "> go on" in shown.stderr and "> and?" in shown.stderr
