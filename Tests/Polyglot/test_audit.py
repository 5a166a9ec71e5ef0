"""The ledger of the built plane from outside: what calls leave in it, why, whether it is whole; a disk that is full."""
import json, os, shutil, signal, sqlite3, subprocess, urllib.error, urllib.request
import pytest
import cli
from plane import Local, Plane, read_line, wait_until
from gatehouse.plane.v1 import workspaces_pb2


@pytest.fixture
def own(tmp_path):
    """A plane with a workspace, for one test that harms it."""
    plane = Plane(tmp_path / "state")
    client = plane.client()
    workspace = Local(plane, client, tmp_path / "local", "own")
    workspace.plane = plane
    yield workspace
    if plane.process.poll() is not None:
        plane.start()
        workspace.client = plane.client()
        # A plane that has just started looks after its daemons first.
        is_linked = lambda: workspace.client.workspace(workspace.id).state == workspaces_pb2.WORKSPACE_STATE_LINKED
        wait_until(is_linked, "its daemon did not link again")
    workspace.close()
    plane.stop()


def audit(plane, *words, code=0, stream="stdout"):
    """Runs `gatehouse audit`; gives what it printed."""
    ended = subprocess.run(
        [cli.GATEHOUSE, "audit", *words, *([] if "--offline" in words else ["--state", plane.state])],
        capture_output=True, timeout=30, text=True)
    assert ended.returncode == code, (ended.returncode, ended.stdout, ended.stderr)
    return getattr(ended, stream)


def search(plane, *words):
    return [json.loads(line) for line in audit(plane, "search", "--json", *words).splitlines()]


def calls(plane, workspace):
    """The kinds of the events of each call in a workspace, by call."""
    kinds = {}
    for event in search(plane, "--kind", "call", "--workspace", workspace.id):
        kinds.setdefault(event["header"]["call"], []).append(event["kind"])
    return kinds


def test_a_call_leaves_its_whole_story(own):
    code, output, _ = cli.run(own.plane, own.id, "sh", "-c", "echo hello; exit 3")
    assert (code, output) == (3, b"hello\n")
    # The end is a fact that nobody waits for.
    wait_until(lambda: "call.ended" in sum(calls(own.plane, own).values(), []), "the call's end was not recorded")
    ((call, kinds),) = calls(own.plane, own).items()
    assert kinds == ["call.intended", "call.offered", "call.started", "call.ended"]
    events = search(own.plane, "--call", call)
    assert events[0]["header"]["principal"]["id"] == "spiffe://gatehouse.local/user/admin"
    assert events[-1]["header"]["evidence"] == "EVIDENCE_DAEMON"
    assert events[-1]["header"]["cause"] == events[0]["header"]["sequence"]
    end = events[-1]["body"]["call_ended"]["exit"]
    assert end["code"] == 3
    assert [(total["stream"], total["bytes"]) for total in end["totals"] if "bytes" in total] == [("STREAM_STDOUT", "6")]
    # In one screen, and by each way of asking.
    why = audit(own.plane, "why", call)
    assert len(why.splitlines()) == 5 and "echo hello" in why and "exited 3" in why
    shown = audit(own.plane, "show", events[0]["header"]["sequence"])
    assert "user/admin" in shown and "process.exec" in shown
    assert call in audit(own.plane, "search", "--tool", "process.exec", "--user", "admin", "--since", "10m")
    assert audit(own.plane, "search", "--user", "nobody") == ""
    assert call in audit(own.plane, "tail", "--once", "--lines", "50")
    exported = audit(own.plane, "export", "--without-bodies")
    assert all("body" not in json.loads(line) for line in exported.splitlines())


def test_why_a_file_is_as_it_is(own):
    request = tools_request("notes.txt", b"hello\n")
    written = subprocess.run(
        [cli.GATEHOUSE, "call", "invoke", "--state", own.plane.state, own.id, "files.write", "--request", request],
        capture_output=True, timeout=30, text=True)
    assert written.returncode == 0, written.stderr
    why = audit(own.plane, "why", "notes.txt", "--workspace", "own")
    assert "files.write" in why and "user/admin" in why
    audit(own.plane, "why", "other.txt", code=1)


def tools_request(path, content):
    import base64
    return json.dumps({"path": base64.b64encode(path.encode()).decode(), "content": base64.b64encode(content).decode()})


def test_what_was_erased_is_told_wherever_it_may_have_counted(tmp_path):
    """Two chats write a file. Once the later one is erased, nobody can say what it did; that it was, and by whom, stays."""
    transcript = tmp_path / "script.json"
    calls = [{"tool": "files.write", "arguments": {"path": "notes.txt", "content": "words\n"}}]
    transcript.write_text(json.dumps({"name": "script", "steps": [{"calls": calls}, {"text": "done"}]}))
    plane = Plane(tmp_path / "state", "--script", transcript)
    client = plane.client()
    workspace = Local(plane, client, tmp_path / "local", "own")
    try:
        chats = []
        for _ in range(2):
            (workspace.root / "notes.txt").write_text("before\n")  # so that each changes it
            chats.append(run_chat(plane))
        kept, erased = [search(plane, "--chat", chat, "--tool", "files.write")[0]["header"] for chat in chats]
        assert audit(plane, "why", "notes.txt").splitlines()[0] == f"notes.txt  by {erased['call']}"
        assert "as it should be" in audit(plane, "rebuild")
        audit(plane, "erase", chats[1], "--rule", "asked for")
        # The index has lost what the events have.
        assert "as it should be" in audit(plane, "rebuild")
        why = audit(plane, "why", "notes.txt").splitlines()
        assert why[0] == f"notes.txt  by {kept['call']}"
        assert "erased" in why[-2] and why[-1].startswith(erased["sequence"])
        assert "erased by user/admin" in why[-1] and "asked for" in why[-1]
        found = search(plane, "--tool", "files.write")
        assert [event["header"]["call"] for event in found] == [kept["call"], erased["call"]]
        assert found[1]["body_state"] == "BODY_STATE_ERASED" and found[1]["erasure"]["rule"] == "asked for"
        assert "erased by user/admin" in audit(plane, "show", erased["sequence"])
        audit(plane, "erase", chats[0], "--rule", "asked for too")
        assert f"event {erased['sequence']} and 1 more" in audit(plane, "why", "notes.txt", code=1, stream="stderr")
        assert "as it should be" in audit(plane, "rebuild")
    finally:
        workspace.close()
        client.close()
        plane.stop()


def run_chat(plane):
    """Hands a task to the script; gives the chat's id."""
    ended = subprocess.run(
        [cli.GATEHOUSE, "run", "go on", "--workspace", "own", "--model", "script", "--state", plane.state],
        capture_output=True, timeout=50, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stderr.split("chat ", 1)[1].split(",")[0]


def test_a_workspace_is_named_or_said_to_be_none(own):
    cli.run(own.plane, own.id, "true")
    by_name = search(own.plane, "--workspace", "own")
    assert by_name == search(own.plane, "--workspace", own.id) != []
    assert "there is no workspace 'other'" in audit(own.plane, "search", "--workspace", "other", code=1, stream="stderr")


def test_a_copy_without_checkpoints_is_not_said_to_be_whole(own, tmp_path):
    own.plane.stop()
    copy = tmp_path / "copy"
    shutil.copytree(own.plane.state, copy)
    assert audit(own.plane, "verify", "--offline", str(copy), code=2).startswith("unproven ")
    assert "not checked" in audit(own.plane, "verify", "--offline", str(copy), code=2, stream="stderr")
    assert audit(
        own.plane, "verify", "--offline", str(copy), "--checkpoints", f"{own.plane.state}.checkpoints"
    ).startswith("whole ")


def test_the_tail_goes_on_as_things_happen(own):
    with cli.Running([cli.GATEHOUSE, "audit", "tail", "--state", own.plane.state, "--kind", "call", "--json"]) as tail:
        cli.run(own.plane, own.id, "true")
        assert "call.intended" in tail.expect("call.intended")
        tail.expect("call.ended")


def test_a_killed_plane_leaves_a_whole_ledger_and_a_changed_one_is_found(own, tmp_path):
    plane = own.plane
    cli.run(plane, own.id, "true")
    assert audit(plane, "verify").startswith("whole ")
    is_covered = lambda: int(json.loads(audit(plane, "verify", "--json")).get("covered", 0)) > 0
    wait_until(is_covered, "no checkpoint was signed")
    plane.kill()
    plane.process.wait()
    assert audit(plane, "verify", "--offline", str(plane.state)).startswith("whole ")
    plane.start()
    plane.stop()
    report = json.loads(audit(plane, "verify", "--json", "--offline", str(plane.state)))
    assert report["covered"] == report["events"]  # all of it, after a clean stop
    copy = tmp_path / "copy"
    shutil.copytree(plane.state, copy)
    with sqlite3.connect(copy / "ledger" / "events.db") as store:
        store.execute("DELETE FROM event WHERE sequence = 3")
    found = audit(plane, "verify", "--offline", str(copy), "--checkpoints", f"{plane.state}.checkpoints", code=1)
    assert "event 3 is missing" in found


@pytest.fixture
def full_disk(own):
    """Starts and ends a disk without room below the ledger's log: strace has each write to it fail."""
    if os.geteuid() != 0 or not shutil.which("strace"):
        pytest.skip("takes strace, and root: the plane lets nobody else look into it")
    tracers = []

    def fill():
        log = own.plane.state / "ledger" / "events.db-wal"
        tracer = subprocess.Popen(
            ["strace", "-f", "-p", str(own.plane.process.pid), "-P", log, "-e", "trace=pwrite64",
             "-e", "inject=pwrite64:error=ENOSPC", "-o", "/dev/null"], stderr=subprocess.PIPE, bufsize=0)
        tracers.append(tracer)
        assert "attached" in read_line(tracer.stderr, 10)

    def empty():
        for tracer in tracers:
            tracer.send_signal(signal.SIGINT)
            tracer.wait(10)
        tracers.clear()

    fill.empty = empty
    yield fill
    empty()


def readiness(plane):
    """What a probe is told: the status, and the page."""
    try:
        with urllib.request.urlopen(f"http://{plane.admin}/readyz", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()


def test_a_full_disk_stops_what_is_new_and_nothing_else(own, full_disk):
    plane = own.plane
    with cli.start(plane, own.id, "sh", "-c", "echo begun; read word; echo $word; exit 7", stdin=subprocess.PIPE) as running:
        running.expect("begun")
        full_disk()
        heard = []
        refused = lambda: heard.append(cli.run(plane, own.id, "true")[2]) or "disk is full" in heard[-1]
        wait_until(refused, "calls are still taken")
        # Whoever is turned down is told so, the first one too: the plane is there.
        assert not any("lost" in complaints for complaints in heard), heard
        status, page = readiness(plane)
        assert status == 503 and "disk is full" in page, page
        code, _, complaints = cli.run(plane, own.id, "true")
        assert code == 125 and "starts nothing new" in complaints
        # What runs ends as it really did.
        running.stdin.write(b"word\n")
        code, output, _ = running.end()
        assert (code, output) == (7, b"word\n")
    full_disk.empty()
    wait_until(lambda: cli.run(plane, own.id, "true")[0] == 0, "calls are not taken again")
    assert readiness(plane) == (200, "ready\n")
    (resumed,) = search(plane, "--kind", "ledger.resumed")
    assert "full" in resumed["body"]["ledger_resumed"]["reason"]
    ended = [event["body"]["call_ended"]["exit"].get("code", 0) for event in search(plane, "--kind", "call.ended")]
    assert 7 in ended
    assert audit(plane, "verify").startswith("whole ")
