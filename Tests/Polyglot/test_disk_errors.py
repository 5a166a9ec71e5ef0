"""A disk that takes what is written and fails to make it durable: strace has each sync of the ledger's log fail."""
import contextlib, os, shutil, signal, sqlite3, subprocess
import pytest
import cli
from gatehouse.plane.v1 import workspaces_pb2
from plane import read_line, wait_until
from test_audit import audit, own, search  # `own` is a fixture

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("strace"), reason="takes strace, and root: the plane lets nobody else look into it")


@contextlib.contextmanager
def syncs_fail(plane):
    """Meanwhile, each sync of the ledger's log fails with EIO, after what was written was written."""
    log = plane.state / "ledger" / "events.db-wal"
    tracer = subprocess.Popen(
        ["strace", "-f", "-p", str(plane.process.pid), "-P", log, "-e", "trace=fsync,fdatasync",
         "-e", "inject=fsync,fdatasync:error=EIO", "-o", "/dev/null"], stderr=subprocess.PIPE, bufsize=0)
    try:
        assert "attached" in read_line(tracer.stderr, 10)
        yield
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait(10)


def check_store(plane):
    with contextlib.closing(sqlite3.connect(f"file:{plane.state}/ledger/events.db?mode=ro", uri=True)) as store:
        assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def starts_nothing(plane, workspace):
    code, _, complaints = cli.run(plane, workspace.id, "touch", "begun")
    assert code == 125 and "cannot record what it does" in complaints and "starts nothing new" in complaints, complaints


def test_what_is_not_durable_is_not_begun_nor_found_after_a_crash(own):
    plane = own.plane
    cli.run(plane, own.id, "true")
    with syncs_fail(plane):
        # The first one is in the log as a whole when its sync fails.
        starts_nothing(plane, own)
        plane.kill()
    plane.start()
    client = plane.client()
    linked = lambda: client.workspace(own.id).state == workspaces_pb2.WORKSPACE_STATE_LINKED
    wait_until(linked, "its daemon did not link again")
    client.close()
    assert cli.run(plane, own.id, "sh", "-c", "echo again; exit 3")[:2] == (3, b"again\n")
    assert not (own.root / "begun").exists()
    intents = search(plane, "--kind", "call.intended")
    assert len(intents) == 2, intents
    assert audit(plane, "verify").startswith("whole ")
    check_store(plane)


def test_it_goes_on_by_itself_and_keeps_what_happened_meanwhile(own):
    plane = own.plane
    with cli.start(plane, own.id, "sh", "-c", "echo begun; read word; echo $word; exit 7", stdin=subprocess.PIPE) as running:
        running.expect("begun")
        # Until what the command's start writes is durable, it would be what fails.
        wait_until(lambda: search(plane, "--kind", "call.started"), "the call's start was not recorded")
        with syncs_fail(plane):
            starts_nothing(plane, own)
            starts_nothing(plane, own)
            # What runs ends as it really did.
            running.stdin.write(b"word\n")
            code, output, _ = running.end()
            assert (code, output) == (7, b"word\n")
            wait_until(lambda: "ledger_failing" in plane.log.read_text(), "the log does not say so")
    wait_until(lambda: cli.run(plane, own.id, "true")[0] == 0, "calls are not taken again")
    assert not (own.root / "begun").exists()
    (resumed,) = search(plane, "--kind", "ledger.resumed")
    assert "disk I/O error" in resumed["body"]["ledger_resumed"]["reason"]
    ended = [event["body"]["call_ended"]["exit"].get("code", 0) for event in search(plane, "--kind", "call.ended")]
    assert 7 in ended
    assert audit(plane, "verify").startswith("whole ")
    plane.stop()
    assert audit(plane, "verify", "--offline", plane.state).startswith("whole ")
    check_store(plane)
