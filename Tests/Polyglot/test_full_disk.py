"""A daemon whose disk is full: it starts nothing that it cannot write down, and output waits in its pipe until there is room."""
import contextlib, os, pathlib, subprocess
import pytest
import cli
from gatehouse.plane.v1 import workspaces_pb2
from plane import Plane, wait_until
from test_faults import Remote

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk, as root only may")

# Far more than the page of its ring that has a place on the disk, and than a pipe holds.
TALKS = "echo begun; while [ ! -e go ]; do sleep 0.05; done; i=0; while [ $i -lt 40000 ]; do echo \"line $i\"; i=$((i+1)); done; exit 7"
SAID = b"".join(b"line %d\n" % i for i in range(40000))


@pytest.fixture
def site(tmp_path):
    """A workspace whose daemon's state has 8 MiB of disk."""
    plane = Plane(tmp_path / "state")
    client = plane.client()
    state = tmp_path / "one" / "state"
    state.mkdir(parents=True, mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=0700", "tmpfs", state], check=True)
    workspace = Remote(plane, client, tmp_path / "one", "one")
    is_linked = lambda: client.workspace(workspace.id).state == workspaces_pb2.WORKSPACE_STATE_LINKED
    try:
        wait_until(is_linked, "the daemon is not linked")
        yield plane, workspace, state
    finally:
        client.close()
        workspace.close()
        subprocess.run(["umount", state], check=True)
        plane.stop()


@contextlib.contextmanager
def full(state: pathlib.Path):
    """Meanwhile, not a byte more finds room there."""
    filler = state / "filler"
    with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    yield
    filler.unlink()


def test_a_call_that_cannot_be_written_down_is_not_started(site):
    plane, workspace, state = site
    with full(state):
        code, output, complaints = cli.run(plane, workspace.id, "touch", "begun")
    assert (code, output) == (125, b"") and "No space left" in complaints and "daemon's state folder" in complaints, complaints
    assert not (workspace.root / "begun").exists()
    assert cli.run(plane, workspace.id, "sh", "-c", "echo again; exit 3")[:2] == (3, b"again\n")


def test_output_waits_in_its_pipe_until_there_is_room(site):
    plane, workspace, state = site
    log = workspace.folder / "daemon.log"
    with cli.start(plane, workspace.id, "sh", "-c", TALKS) as running:
        running.expect("begun")
        with full(state):
            # The ring is at its start again where all that it had was taken: what is ahead has no place yet.
            (workspace.root / "go").touch()
            wait_until(lambda: "output_waits" in log.read_text(), "the daemon's log does not say that output waits")
        code, output, complaints = running.end(40)
    assert code == 7, complaints
    assert output == SAID
