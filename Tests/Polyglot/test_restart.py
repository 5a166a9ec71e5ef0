"""A plane that stops and starts again."""
import pytest
from gatehouse.plane.v1 import workspaces_pb2
from plane import Local, Plane, wait_until


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
