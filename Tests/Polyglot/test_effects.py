"""What calls changed in files, from outside: commands, file tools, chats; and who may see it."""
import base64, json, os, subprocess
import cli
from plane import Toold, wait_until
from test_audit import audit, own, search, tools_request
from test_chats import stage


def gatehouse(plane, *words, code=0):
    """Runs a command as the plane's admin; gives both outputs."""
    ended = subprocess.run(
        [cli.GATEHOUSE, *words, "--state", plane.state], capture_output=True, text=True, timeout=30)
    assert ended.returncode == code, (ended.returncode, ended.stdout, ended.stderr)
    return ended.stdout, ended.stderr


def last_call(plane, workspace):
    """The id of the newest call in a workspace, once its end is recorded."""
    ended = lambda: search(plane, "--kind", "call.ended", "--workspace", workspace.id)
    intended = lambda: search(plane, "--kind", "call.intended", "--workspace", workspace.id)
    wait_until(lambda: len(ended()) == len(intended()), "the call's end was not recorded")
    return intended()[-1]["header"]["call"]


def run(own, script):
    """Runs a script in the workspace; gives its call's id."""
    code, _, complaints = cli.run(own.plane, own.id, "sh", "-c", script)
    assert code == 0, complaints
    return last_call(own.plane, own)


def messages(plane, noun, id, code=0):
    return [json.loads(line) for line in gatehouse(plane, noun, "diff", "--json", id, code=code)[0].splitlines()]


def test_a_command_s_changes_are_shown_as_a_diff(own):
    (own.root / "prices.py").write_text("tax = 1\nrate = 2\n")
    (own.root / "old.txt").write_text("gone\n")
    call = run(own, "sed -i 's/rate = 2/rate = 3/' prices.py; echo hello > new.txt; rm old.txt; mkdir empty")
    output, complaints = gatehouse(own.plane, "call", "diff", call)
    assert complaints == ""
    assert output == (
        "created empty  a folder\n+ folder  mode 0755\n"
        "--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1,1 @@\n+hello\n"
        "--- a/old.txt\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-gone\n"
        "--- a/prices.py\n+++ b/prices.py\n@@ -1,2 +1,2 @@\n tax = 1\n-rate = 2\n+rate = 3\n")
    output, _ = gatehouse(own.plane, "call", "diff", "--stat", call)
    assert output.splitlines()[-1] == "4 files changed, +2 -2"
    assert [line.split() for line in output.splitlines()[1:4]] == [
        ["created", "new.txt", "+1", "-0"], ["deleted", "old.txt", "+0", "-1"], ["modified", "prices.py", "+1", "-1"]]


def test_what_git_apply_makes_of_it_is_what_the_command_made(own):
    (own.root / "a.txt").write_text("".join(f"{number}\n" for number in range(1, 101)))
    before = (own.root / "a.txt").read_text()
    call = run(own, "sed -i -e 5d -e 's/^50$/fifty/' -e '$a last' a.txt")
    output, _ = gatehouse(own.plane, "call", "diff", call)
    after = (own.root / "a.txt").read_text()
    (own.root / "a.txt").write_text(before)
    applied = subprocess.run(["patch", "-p1"], input=output, text=True, cwd=own.root, capture_output=True)
    assert applied.returncode == 0, applied
    assert (own.root / "a.txt").read_text() == after


def test_digests_modes_and_kinds_are_told(own):
    (own.root / "a.sh").write_text("true\n")
    os.chmod(own.root / "a.sh", 0o644)
    (own.root / "b.bin").write_bytes(b"\0\1")
    call = run(own, "chmod 755 a.sh; printf '\\000\\002' > b.bin; ln -s a.sh l")
    summary, *files = messages(own.plane, "call", call)
    assert summary["summary"]["calls"] == [
        {"call": call, "reported": True, "source": "EFFECTS_SOURCE_SCAN"}] and summary["summary"]["files"] == "3"
    files = {base64.b64decode(file["file"]["path"]).decode(): file["file"] for file in files}
    assert files["a.sh"]["change"] == "FILE_CHANGE_MODE_CHANGED"
    assert (files["a.sh"]["before"]["mode"], files["a.sh"]["after"]["mode"]) == (0o644, 0o755)
    assert files["b.bin"]["no_diff"] == "binary"
    sums = subprocess.run(["sha256sum", "b.bin"], cwd=own.root, capture_output=True, text=True).stdout
    assert base64.b64decode(files["b.bin"]["after"]["sha256"]).hex() == sums.split()[0]
    assert files["l"]["change"] == "FILE_CHANGE_CREATED" and files["l"]["after"]["type"] == "FILE_TYPE_SYMLINK"
    assert "sha256 " + sums.split()[0] in gatehouse(own.plane, "call", "diff", call)[0]


def test_nothing_is_not_the_same_as_not_reported(own, tmp_path):
    call = run(own, "true")
    assert gatehouse(own.plane, "call", "diff", call) == ("", "")
    toold = Toold(own.plane, own.client, tmp_path / "toold", "other")
    try:
        code, _, complaints = cli.run(own.plane, toold.id, "sh", "-c", "echo x > a.txt")
        assert code == 0, complaints
        call = last_call(own.plane, toold)
        output, complaints = gatehouse(own.plane, "call", "diff", call, code=3)
        assert output == "" and "did not say what it changed" in complaints
    finally:
        toold.close()


def test_file_tools_tell_exactly_and_two_calls_on_one_file_each_their_own(own):
    def invoke(tool, request):
        gatehouse(own.plane, "call", "invoke", own.id, tool, "--request", request)
        return last_call(own.plane, own)

    encode = lambda text: base64.b64encode(text.encode()).decode()
    edit = lambda old, new: json.dumps(
        {"path": encode("a.txt"), "edits": [{"old_text": encode(old), "new_text": encode(new)}]})
    first = invoke("files.write", tools_request("a.txt", b"one\ntwo\n"))
    second = invoke("files.edit", edit("one", "ONE"))
    third = invoke("files.edit", edit("two", "TWO"))
    diffs = [gatehouse(own.plane, "call", "diff", call)[0] for call in (first, second, third)]
    assert "+one\n+two\n" in diffs[0]
    assert "-one\n+ONE\n two\n" in diffs[1]
    assert " ONE\n-two\n+TWO\n" in diffs[2]
    assert messages(own.plane, "call", second)[0]["summary"]["calls"][0]["source"] == "EFFECTS_SOURCE_TOOL"


def test_what_is_not_known_or_left_out_is_said_and_has_its_own_code(own):
    # A large file's digest before is not there, unless a command's end was looked at.
    (own.root / "large.bin").write_bytes(bytes(100_000))
    call = run(own, "echo x >> large.bin")
    output, complaints = gatehouse(own.plane, "call", "diff", call, code=3)
    assert "modified large.bin" in output and "large.bin: not read before" in complaints
    messages(own.plane, "call", call, code=3)
    # It is known from then on.
    call = run(own, "echo y >> large.bin")
    assert gatehouse(own.plane, "call", "diff", call)[1] == ""
    # A diff has a bound: what is there of it cannot be applied.
    lines = lambda letter: "".join(f"{letter} {number}\n" for number in range(11_000)).encode()
    for letter in "ab":
        request = tools_request("long.txt", lines(letter))
        gatehouse(own.plane, "call", "invoke", own.id, "files.write", "--request", request)
    output, complaints = gatehouse(own.plane, "call", "diff", last_call(own.plane, own), code=3)
    assert "long.txt: the rest of its diff is left out" in complaints and "left out" not in output


def test_a_command_is_why_a_file_is_as_it_is(own):
    run(own, "mkdir -p src; echo one > src/a.txt")
    call = run(own, "echo two >> src/a.txt")
    run(own, "cat src/a.txt")
    why = audit(own.plane, "why", "src/a.txt", "--workspace", "own")
    assert call in why and "echo two" in why and "changed src/a.txt" in why
    found = search(own.plane, "--file", "src/a.txt")
    assert [event["kind"] for event in found] == ["call.ended", "call.ended"]
    assert found[-1]["header"]["call"] == call and found[-1]["header"]["evidence"] == "EVIDENCE_DAEMON"
    # Also from an index that is made anew.
    own.plane.stop()
    (own.plane.state / "ledger" / "index.db").unlink()
    own.plane.start()
    assert search(own.plane, "--file", "src/a.txt") == found
    assert audit(own.plane, "verify").startswith("whole ")


def test_why_names_the_calls_that_ran_at_the_same_time(own):
    with cli.start(own.plane, own.id, "sh", "-c", "read word; echo real > victim", stdin=subprocess.PIPE) as first:
        begun = lambda: search(own.plane, "--kind", "call.started", "--workspace", own.id)
        wait_until(lambda: len(begun()) == 1, "the first call did not begin")
        with cli.start(own.plane, own.id, "cat", stdin=subprocess.PIPE) as second:
            wait_until(lambda: len(begun()) == 2, "the second call did not begin")
            first.stdin.write(b"go\n")
            assert first.end()[0] == 0
            assert second.end()[0] == 0
    calls = [event["header"]["call"] for event in begun()]
    last_call(own.plane, own)
    why = audit(own.plane, "why", "victim", "--workspace", "own")
    assert all(call in why for call in calls), why
    assert "another call ran at the same time" in why and "either may have changed it" in why
    # Of a call that ran alone there is no doubt.
    run(own, "echo more >> victim")
    assert "at the same time" not in audit(own.plane, "why", "victim", "--workspace", "own")


def test_a_failed_edit_is_not_why_a_file_is_as_it_is(own):
    call = run(own, "echo one > a.txt")
    encode = lambda text: base64.b64encode(text.encode()).decode()
    request = json.dumps({"path": encode("a.txt"), "edits": [{"old_text": encode("absent"), "new_text": encode("x")}]})
    gatehouse(own.plane, "call", "invoke", own.id, "files.edit", "--request", request, code=1)
    last_call(own.plane, own)
    assert call in audit(own.plane, "why", "a.txt", "--workspace", "own")


def test_a_command_that_a_restarted_plane_saw_end_is_told_too(own):
    with cli.start(own.plane, own.id, "sh", "-c", "echo begun; while [ ! -e go ]; do sleep 0.05; done; echo x > a.txt") as running:
        running.expect("begun")
        own.plane.kill()
        own.plane.start()
        (own.root / "go").touch()
        assert running.end(50)[0] == 0
    call = last_call(own.plane, own)
    assert "+++ b/a.txt" in gatehouse(own.plane, "call", "diff", call)[0]


def test_a_chat_s_calls_are_summed_up(stage):
    write = lambda path, text: {"tool": "write_file", "arguments": {"path": path, "content": text}}
    shell = lambda script: {"tool": "process.shell", "arguments": {"script": script}}
    plane, workspace = stage([
        {"calls": [shell("echo two >> a.txt; echo x > scratch; echo keep > b.txt")]},
        {"calls": [shell("rm scratch; sed -i s/one/ONE/ a.txt")]},
        {"calls": [shell("echo three >> a.txt")]},
        {"text": "done"}])
    (workspace.root / "a.txt").write_text("one\n")
    ended = subprocess.run(
        [cli.GATEHOUSE, "run", "go on", "--workspace", "own", "--model", "script", "--state", plane.state],
        capture_output=True, text=True, timeout=50)
    assert ended.returncode == 0, ended.stderr
    chat = json.loads(gatehouse(plane, "chat", "list", "--json")[0].splitlines()[0])
    chat = chat.get("chat_id") or chat["chats"][0]["chat_id"]
    output, complaints = gatehouse(plane, "chat", "diff", chat)
    assert complaints == ""
    assert output == (
        "--- a/a.txt\n+++ b/a.txt\n@@ -1,1 +1,3 @@\n-one\n+ONE\n+two\n+three\n"
        "--- /dev/null\n+++ b/b.txt\n@@ -0,0 +1,1 @@\n+keep\n")
    summary, first, _ = messages(plane, "chat", chat)
    assert len(summary["summary"]["calls"]) == 3 and len(first["file"]["calls"]) == 3
    assert "others" not in first["file"]
    # Once it is erased nobody can tell.
    gatehouse(plane, "audit", "erase", chat, "--rule", "asked for")
    _, complaints = gatehouse(plane, "chat", "diff", chat, code=1)
    assert "erased" in complaints


def test_what_there_is_no_answer_for_says_why(own):
    for noun in ("call", "chat"):
        _, complaints = gatehouse(own.plane, noun, "diff", f"{noun}_none", code=1)
        assert f"there is no {noun} '{noun}_none' that you may see" in complaints
    with cli.start(own.plane, own.id, "sh", "-c", "echo begun; sleep 60") as running:
        running.expect("begun")
        call = search(own.plane, "--kind", "call.intended", "--workspace", own.id)[-1]["header"]["call"]
        _, complaints = gatehouse(own.plane, "call", "diff", call, code=1)
        assert "has not ended" in complaints and f"gatehouse call follow {call}" in complaints


def test_colour_is_for_terminals(own):
    call = run(own, "echo one > a.txt")
    words = [str(cli.GATEHOUSE), "call", "diff", call, "--state", str(own.plane.state)]
    assert "\x1b[" not in subprocess.run(words, capture_output=True, text=True, timeout=30).stdout
    terminal = subprocess.run(
        ["script", "-qec", " ".join(words), "/dev/null"], capture_output=True, text=True, timeout=30,
        env=os.environ | {"TERM": "xterm"})
    assert "\x1b[32m+one" in terminal.stdout
