"""Who a person is to the plane when no option says so."""
import os, subprocess
from plane import BINARIES, Plane


def run(home, *arguments):
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    return subprocess.run(
        [BINARIES / "gatehouse", *arguments], env=environment, capture_output=True, text=True, timeout=60)


def test_beside_a_plane_in_its_usual_place_no_option_is_needed(tmp_path):
    home = tmp_path / "home"
    state = home / ".local" / "state" / "gatehouse"
    state.parent.mkdir(parents=True)
    plane = Plane(state)
    try:
        done = run(home, "workspace", "list")
        assert (done.returncode, done.stderr) == (0, "")
        # An identity of one's own goes before it.
        own = home / ".config" / "gatehouse"
        own.mkdir(parents=True)
        (own / "cert.pem").write_text("no certificate\n")
        assert str(own / "key.pem") in run(home, "workspace", "list").stderr
    finally:
        plane.stop()


def test_without_a_plane_the_message_names_the_file_and_the_remedy(tmp_path):
    done = run(tmp_path, "workspace", "list")
    assert done.returncode == 1
    assert str(tmp_path / ".config" / "gatehouse" / "cert.pem") in done.stderr
    assert "--state DIR" in done.stderr
