"""A plane that stops and starts again."""
from plane import Plane


def test_a_plane_stops_cleanly_and_starts_with_the_same_keys(tmp_path):
    plane = Plane(tmp_path / "state")
    authority = (plane.state / "pki" / "ca.pem").read_bytes()
    assert (plane.state / "client" / "key.pem").stat().st_mode & 0o777 == 0o600
    plane.stop()
    plane.start()
    assert (plane.state / "pki" / "ca.pem").read_bytes() == authority
    client = plane.client()
    assert list(client.list()) == []
    client.close()
    plane.stop()
