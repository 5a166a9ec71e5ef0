"""Calls in a workspace of a third-party daemon and of ours, through the real plane."""
import hashlib, os, pathlib, signal, threading, time
import grpc, pytest
from gatehouse.tools.v1 import call_pb2 as tools, files_pb2, process_pb2, tools_pb2
from plane import wait_until


def test_outputs_and_exit_code_come_apart(client, workspace):
    call = client.exec(workspace.id, "sh", "-c", "echo out; echo err >&2; exit 7")
    output = call.result()
    assert (output.stdout, output.stderr) == (b"out\n", b"err\n")
    assert (output.exit.outcome, output.exit.code) == (tools.OUTCOME_EXITED, 7)


def test_the_exit_has_totals_of_what_came(client, workspace):
    output = client.exec(workspace.id, "printf", "12345").result()
    totals = {total.stream: total for total in output.exit.totals}
    assert totals[tools.STREAM_STDOUT].bytes == 5
    assert totals[tools.STREAM_STDOUT].sha256 == hashlib.sha256(b"12345").digest()


def test_stdin_goes_through_a_command(client, workspace):
    data = os.urandom(1 << 20)
    call = client.exec(workspace.id, "cat", stdin=True)
    writer = threading.Thread(target=lambda: (call.write(data), call.close_stdin()))
    writer.start()
    output = call.result()
    writer.join()
    assert output.stdout == data


def test_much_output_is_byte_exact(client, workspace):
    count = 16 << 20
    output = client.exec(workspace.id, "head", "-c", str(count), "/dev/urandom").result()
    assert len(output.stdout) == count
    total = next(t for t in output.exit.totals if t.stream == tools.STREAM_STDOUT)
    assert hashlib.sha256(output.stdout).digest() == total.sha256


def test_a_signal_reaches_the_command(client, workspace):
    call = client.exec(workspace.id, "sh", "-c", "trap 'echo caught; exit 5' USR1; echo up; while :; do sleep 0.05; done")
    call.read_until(b"up\n")
    call.signal(signal.SIGUSR1)
    output = call.result()
    assert output.stdout == b"up\ncaught\n"
    assert output.exit.code == 5


def test_death_by_a_signal_is_no_exit_code(client, workspace):
    output = client.exec(workspace.id, "sh", "-c", "kill -SEGV $$").result()
    assert (output.exit.outcome, output.exit.signal) == (tools.OUTCOME_SIGNALLED, signal.SIGSEGV)


def test_a_command_that_is_not_there_is_not_started(client, workspace):
    output = client.exec(workspace.id, "no-such-command").result()
    assert output.exit.outcome == tools.OUTCOME_SPAWN_FAILED
    assert output.exit.error.code == "not_found"
    assert "no-such-command" in output.exit.error.message


def test_a_command_that_takes_too_long_is_ended(client, workspace):
    output = client.exec(workspace.id, "sleep", "60", timeout_ms=500).result()
    assert output.exit.outcome == tools.OUTCOME_TIMED_OUT
    assert output.exit.tree_gone


def test_cancel_answers_when_the_tree_is_gone(client, workspace):
    call = client.exec(workspace.id, "sh", "-c", "trap '' TERM; sleep 60 & echo $! $$; wait")
    call.read_until(b"\n")
    pids = call.output.stdout.split()
    answer = client.cancel(call.call_id)
    assert (answer.exit.outcome, answer.exit.tree_gone) == (tools.OUTCOME_CANCELLED, True)
    assert not any(is_running(int(pid)) for pid in pids)
    assert call.result().exit.outcome == tools.OUTCOME_CANCELLED
    assert client.cancel(call.call_id).already_ended


def is_running(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_client_that_goes_away_ends_its_call(client, workspace):
    call = client.exec(workspace.id, "sh", "-c", "echo $$; exec sleep 60")
    call.read_until(b"\n")
    call.stream.cancel()
    wait_until(lambda: not is_running(int(call.output.stdout)), "the command still runs")


def test_a_detached_call_goes_on_and_can_be_followed_and_polled(client, workspace):
    call = client.exec(workspace.id, "sh", "-c", "for i in 1 2 3 4 5; do echo line $i; sleep 0.1; done; exit 3", detach=True)
    call.stream.cancel()
    expected = b"".join(b"line %d\n" % i for i in range(1, 6))
    followed = client.follow(call.call_id)
    assert (followed.stdout, followed.exit.code) == (expected, 3)
    polled = client.poll(call.call_id)
    assert (polled.stdout, polled.exit.code) == (expected, 3)
    assert client.follow(call.call_id, stdout=14).stdout == expected[14:]


def test_calls_are_listed_newest_first(client, workspace):
    ids = [client.exec(workspace.id, "true").accepted.call_id for _ in range(3)]
    wait_until(lambda: all(c.state == tools_pb2.CALL_STATE_ENDED for c in client.list(workspace=workspace.id, max_calls=3)), "still running")
    listed = client.list(workspace=workspace.id, max_calls=3)
    assert [call.call_id for call in listed] == ids[::-1]
    assert {call.principal.rsplit("/", 2)[1] for call in listed} == {"user"}
    assert listed[0].tool == "process.exec"


def test_the_same_idempotency_key_gives_the_same_call(client, workspace):
    key = os.urandom(8).hex()
    first = client.exec(workspace.id, "echo", "once", idempotency_key=key)
    assert first.result().stdout == b"once\n"
    second = client.exec(workspace.id, "echo", "once", idempotency_key=key)
    assert second.accepted.repeated_key and second.call_id == first.call_id
    with pytest.raises(grpc.RpcError):
        client.exec(workspace.id, "echo", "twice", idempotency_key=key)


def test_the_digest_is_what_the_readme_says(client, workspace):
    request = process_pb2.ExecRequest(argv=[b"true"])
    call = client.invoke(workspace.id, "process.exec", request)
    tool = b"process.exec"
    signed = b"gatehouse.call.v1\0" + len(tool).to_bytes(4, "big") + tool + request.SerializeToString()
    assert call.accepted.digest == hashlib.sha256(signed).digest()


def test_a_request_larger_than_an_offer_follows_it(client, workspace):
    arguments = ["x" * 1000] * 200
    output = client.exec(workspace.id, "printf", "%s", *arguments).result()
    assert output.stdout == "".join(arguments).encode()


def test_a_command_has_only_the_environment_it_was_given(client, workspace):
    output = client.exec(workspace.id, "env", environment={"ASKED": "for"}).result()
    names = {line.split(b"=")[0].decode() for line in output.stdout.splitlines()}
    assert "ASKED" in names
    assert names <= {"ASKED", "PATH", "HOME", "LANG", "TERM", "TZ", "USER", "LOGNAME", "SHELL", "PWD", "TMPDIR"}


def read(client, workspace, path, **request):
    call = client.invoke(workspace.id, "files.read", files_pb2.ReadRequest(path=path, **request))
    return call.result().exit


def test_a_file_is_read_with_its_digest(client, workspace):
    (workspace.root / "some.bin").write_bytes(bytes(range(256)) * 10)
    answer = files_pb2.ReadResponse.FromString(read(client, workspace, b"some.bin").response)
    assert answer.content == bytes(range(256)) * 10
    assert answer.sha256 == hashlib.sha256(answer.content).digest()
    part = files_pb2.ReadResponse.FromString(read(
        client, workspace, b"some.bin", bytes=files_pb2.ByteRange(offset=2, length=4), max_bytes=3).response)
    assert (part.content, part.truncated, part.total_bytes) == (bytes([2, 3, 4]), True, 2560)


@pytest.mark.parametrize("path", [b"../../../etc/passwd", b"/etc/passwd", b"escape"])
def test_a_path_out_of_the_workspace_is_refused(client, workspace, path):
    escape = workspace.root / "escape"
    escape.is_symlink() or escape.symlink_to("/etc/passwd")
    assert read(client, workspace, path).error.code == "outside_root"


def test_a_missing_file_is_named(client, workspace):
    error = read(client, workspace, b"not/there").error
    assert error.code == "not_found" and "not/there" in error.message


def test_an_unknown_tool_is_refused(client, workspace):
    call = client.invoke(workspace.id, "files.fly", files_pb2.ReadRequest())
    exit = call.result().exit
    assert exit.outcome == tools.OUTCOME_REFUSED
    assert exit.error.code == "unknown_tool"
