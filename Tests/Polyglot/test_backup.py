"""A running plane is backed up, killed, and restored elsewhere; what its ledger then says of that."""
import json, pathlib, signal, stat, subprocess, threading
import pytest
import cli
from gatehouse.plane.v1 import workspaces_pb2
from plane import MARKER, Local, Plane, wait_until
from test_audit import audit, own, search  # `own` is a fixture


def gatehouse(*words, code=0):
    """Runs the program; gives both outputs."""
    ended = subprocess.run([cli.GATEHOUSE, *words], capture_output=True, timeout=50, text=True)
    assert ended.returncode == code, (ended.returncode, ended.stdout, ended.stderr)
    return ended.stdout, ended.stderr


class Load:
    """Commands, one behind the other, on some threads, until it is over."""

    def __init__(self, plane, workspace, workers=3):
        self.is_over, self.done = threading.Event(), threading.Semaphore(0)

        def work():
            while not self.is_over.is_set():
                cli.run(plane, workspace.id, "sh", "-c", "echo working; exit 3")
                self.done.release()

        self.threads = [threading.Thread(target=work) for _ in range(workers)]
        for thread in self.threads:
            thread.start()

    def wait(self, commands):
        for _ in range(commands):
            assert self.done.acquire(timeout=40), "the load stands still"

    def end(self):
        self.is_over.set()
        for thread in self.threads:
            thread.join(55)


def is_linked(client, workspace):
    return lambda: client.workspace(workspace).state == workspaces_pb2.WORKSPACE_STATE_LINKED


def test_a_plane_under_load_is_backed_up_killed_and_restored_elsewhere(own, tmp_path):
    plane, backup, elsewhere = own.plane, tmp_path / "backup", tmp_path / "elsewhere" / "state"
    load = Load(plane, own)
    try:
        load.wait(3)
        made = json.loads(gatehouse("backup", backup, "--state", plane.state, "--json")[0])
        load.wait(3)
    finally:
        load.end()
    assert int(made["lastEvent"]) > 4
    # Private, whole, and without the key that the plane took from its environment.
    files = [path for path in backup.rglob("*") if path.is_file()]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)
    assert not any(MARKER.encode() in path.read_bytes() for path in files)
    assert not list(tmp_path.glob("backup.*"))
    said = gatehouse("backup", backup, "--state", plane.state, code=1)[1]
    assert "overwrites nothing" in said
    plane.stop()
    checkpoints = f"{plane.state}.checkpoints"
    # What was done behind the backup was seen outside: nothing is restored as if it had not been.
    words = "restore", backup, "--state", elsewhere, "--checkpoints", checkpoints
    said = gatehouse(*words, code=1)[1]
    assert f"ends with event {made['lastEvent']}" in said and "--accept-loss" in said
    assert not elsewhere.exists() and not list(elsewhere.parent.glob("*"))
    said = gatehouse(*words, "--accept-loss", "the disk died")[1]
    assert "missing:" in said and "--state" in said
    settings = tmp_path / "restored.yaml"
    settings.write_text(f"ledger:\n  checkpoints: {checkpoints}\n")
    restored = Plane(elsewhere, "--config", settings)
    try:
        (event,) = search(restored, "--kind", "ledger.restored")
        assert event["body"]["ledger_restored"]["reason"] == "the disk died"
        assert int(event["header"]["sequence"]) == int(made["lastEvent"]) + 1
        # The workspace is there again, with a daemon of this plane's, and works.
        client = restored.client()
        wait_until(is_linked(client, own.id), "its daemon did not link")
        assert cli.run(restored, own.id, "sh", "-c", "echo again; exit 4")[:2] == (4, b"again\n")
        # Calls that ran at the backup's moment have an end; each has one intent.
        wait_until(lambda: not client.list(running_only=True), "calls still run")
        kinds = {}
        for event in search(restored, "--kind", "call"):
            kinds.setdefault(event["header"]["call"], []).append(event["kind"])
        assert all(one.count("call.intended") == 1 for one in kinds.values()), kinds
        verified = audit(restored, "verify")
        assert verified.startswith("whole ") and "are missing" in verified and "the disk died" in verified
        client.workspaces.Stop(workspaces_pb2.StopWorkspaceRequest(workspace=own.id), timeout=30)
        client.close()
    finally:
        restored.stop()
    verified = audit(restored, "verify", "--offline", elsewhere, "--checkpoints", checkpoints)
    assert verified.startswith("whole ") and "the disk died" in verified
    # The history that was given up is not taken for the one that goes on.
    found = audit(plane, "verify", "--offline", plane.state, "--checkpoints", checkpoints, code=1)
    assert "fork" in found or "changed" in found
    # So that the fixture finds its plane as it was.
    pathlib.Path(checkpoints).unlink()


def test_a_killed_plane_is_restored_with_nothing_missing(own, tmp_path):
    plane, backup, elsewhere = own.plane, tmp_path / "backup", tmp_path / "elsewhere"
    cli.run(plane, own.id, "true")
    plane.kill()
    gatehouse("backup", backup, "--state", plane.state)
    gatehouse("restore", backup, "--state", elsewhere, "--checkpoints", f"{plane.state}.checkpoints")
    verified = audit(plane, "verify", "--offline", elsewhere, "--checkpoints", f"{plane.state}.checkpoints")
    assert verified.startswith("whole ") and "what came after the copy is not in it" in verified
    pathlib.Path(f"{plane.state}.checkpoints").unlink()


def test_a_backup_with_settings_names_what_it_takes(own, tmp_path):
    plane, settings = own.plane, tmp_path / "plane.yaml"
    settings.write_text(f"state: {plane.state}\nmodel:\n  key: sk-of-settings\n")
    settings.chmod(0o600)
    gatehouse("backup", tmp_path / "backup", "--config", settings)
    assert (tmp_path / "backup" / "settings.yaml").read_text() == settings.read_text()
    for secret in "master.key", "checkpoint.key", "pki/*.key", "client/key.pem", "model.key":
        assert secret in gatehouse("backup", "--help")[0].replace("\n", " ")


def test_the_key_of_checkpoints_is_exchanged_while_the_plane_runs(own):
    plane = own.plane
    first = audit(plane, "verify").split("signed by ")[1].strip()
    new = audit(plane, "rotate-key").strip()
    assert new != first
    (event,) = search(plane, "--kind", "ledger.key_rotated")
    assert (event["body"]["key_rotated"]["old_key"], event["body"]["key_rotated"]["new_key"]) == (first, new)
    assert event["header"]["principal"]["id"] == "spiffe://gatehouse.local/user/admin"
    plane.stop()
    # Whoever kept the first key follows to the last.
    words = "verify", "--offline", plane.state, "--key"
    verified = audit(plane, *words, first)
    assert verified.startswith("whole ") and f"signed by {new}" in verified
    assert "keys" in audit(plane, *words, new, code=1)


def test_a_backup_is_not_made_in_the_state_folder(own):
    said = gatehouse("backup", own.plane.state / "b1", "--state", own.plane.state, code=1)[1]
    assert "lies in the plane's state folder" in said
    assert not (own.plane.state / "b1").exists()


def test_a_backup_that_is_cut_off_leaves_no_keys_or_is_told_of(own, tmp_path):
    words = cli.GATEHOUSE, "backup", tmp_path / "backup", "--state", own.plane.state
    process = subprocess.Popen(words, stderr=subprocess.PIPE)
    wait_until(lambda: list(tmp_path.glob("backup*")), "no backup was begun")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=40)
    # It may have been done by then.
    assert process.returncode in (0, 130)
    assert not list(tmp_path.glob("backup.partial.*"))
    (tmp_path / "other.partial.1").mkdir(mode=0o700)
    said = gatehouse("backup", tmp_path / "other", "--state", own.plane.state)[1]
    assert "other.partial.1 was left by a backup that was cut off" in said
