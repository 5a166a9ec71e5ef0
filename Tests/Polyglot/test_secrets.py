"""A key in the plane's environment is in the plane only."""
import os, pathlib
from plane import MARKER


def processes():
    """Every process of the account but the plane and this one's family, with what of it can be read."""
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            yield int(folder.name), (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
        except (PermissionError, FileNotFoundError, ProcessLookupError):
            continue


def test_the_marker_is_nowhere_else(plane, client, toold, local, tmp_path_factory):
    waiting = client.exec(local.id, "sh", "-c", "echo up; exec sleep 30")
    waiting.read_until(b"up\n")
    found = [pid for pid, text in processes() if MARKER.encode() in text and pid not in (plane.process.pid, os.getpid())]
    assert not found
    search = "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -c sk-mark[e]r-; env"
    output = client.exec(local.id, "sh", "-c", search).result()
    assert MARKER.encode() not in output.stdout
    assert output.stdout.startswith(b"0\n"), output.stdout
    client.cancel(waiting.call_id)
    for folder in (plane.state.parent, toold.folder, local.root):
        for file in folder.rglob("*"):
            if file.is_file() and not file.is_symlink():
                assert MARKER.encode() not in file.read_bytes(), file


def test_the_marker_is_wiped_from_the_planes_own_environment(plane, client):
    """Root may read it; nobody else may look at all."""
    client.list()  # it has started
    try:
        text = pathlib.Path(f"/proc/{plane.process.pid}/environ").read_bytes()
    except PermissionError:
        assert os.geteuid() != 0
    else:
        assert b"PATH=" in text, "what was read is no environment"
        assert MARKER.encode() not in text


def test_nobody_reads_the_plane_from_outside(plane, client, local):
    output = client.exec(local.id, "sh", "-c", f"cat /proc/{plane.process.pid}/environ").result()
    assert output.stdout == b"" and output.exit.code != 0
    keys = client.exec(local.id, "sh", "-c", f"cat {plane.state}/pki/*.key {plane.state}/client/key.pem").result()
    assert b"PRIVATE" not in keys.stdout
