"""What a person meets in the first hour, and what it tells them to do."""
import contextlib, subprocess
import grpc, pytest
import cli
from enroll import enroll
from plane import BINARIES, Plane, Proxy


@pytest.fixture
def own_plane(tmp_path):
    plane = Plane(tmp_path / "state", settings="calls: {default_timeout: 1s, longest_timeout: 10s}")
    yield plane
    plane.stop()


def gatehouse(plane, *words, options=()):
    ended = subprocess.run([cli.GATEHOUSE, *words, "--state", plane.state, *options],
                           capture_output=True, text=True, timeout=30)
    return ended.returncode, ended.stdout, ended.stderr


@pytest.fixture
def elsewhere(plane, client):
    """A workspace on another machine, where nobody has started a daemon yet."""
    answer = client.create("elsewhere")
    yield answer
    gatehouse(plane, "workspace", "delete", "elsewhere")


def test_without_a_timeout_a_command_has_the_planes(own_plane, tmp_path):
    code, _, complaints = gatehouse(own_plane, "workspace", "create", "--local", "a1")
    assert code == 0, complaints
    code, _, complaints = cli.run(own_plane, "a1", "sleep", "60")
    assert code == 124 and "--timeout" in complaints
    assert cli.run(own_plane, "a1", "sleep", "1.5", options=["--timeout", "9s"])[0] == 0
    gatehouse(own_plane, "workspace", "delete", "a1")


def test_a_workspace_that_only_this_machine_reaches_is_said_to_be_so(plane):
    code, _, complaints = gatehouse(plane, "workspace", "create", "far")
    assert code == 0 and f"no other machine reaches {plane.open}" in complaints
    assert "--listen-open 0.0.0.0:7444" in complaints
    gatehouse(plane, "workspace", "delete", "far")


def token_of(output):
    return next(line.split()[1] for line in output.splitlines() if line.startswith("token "))


def test_a_token_that_was_too_old_is_made_anew(plane, elsewhere):
    authority = plane.state / "client/ca.pem"
    code, output, complaints = gatehouse(plane, "workspace", "token", "elsewhere")
    assert code == 0 and "elsewhere  ws_" in output and f"--enroll-address {plane.open}" in complaints
    with pytest.raises(grpc.RpcError, match="the join token is unknown; ask for a new one"):
        enroll(plane.open, authority, elsewhere.join_token)
    assert enroll(plane.open, authority, token_of(output))
    code, _, complaints = gatehouse(plane, "workspace", "start", "elsewhere")
    assert "gatehouse workspace token elsewhere" in complaints


def test_a_local_workspace_needs_no_token(plane, local):
    code, output, complaints = gatehouse(plane, "workspace", "token", local.id)
    assert code == 1 and output == "" and "the plane starts its daemon; run: gatehouse workspace start" in complaints


def test_the_list_of_calls_says_what_each_runs(plane, local):
    assert cli.run(plane, local.id, "echo", "two words")[0] == 0
    code, output, _ = gatehouse(plane, "call", "list", "--workspace", local.id)
    assert code == 0 and output.splitlines()[0].split()[-1] == "COMMAND"
    assert output.splitlines()[1].endswith("echo 'two words'")


def test_starting_a_workspace_elsewhere_says_where_that_is_done(plane, elsewhere):
    code, output, complaints = gatehouse(plane, "workspace", "start", "elsewhere")
    assert code == 0 and "pending" in output
    assert "it runs elsewhere" in complaints and "start gatehouse-toold there" in complaints


def test_an_agent_is_not_sent_where_no_call_can_be_made(plane, client, elsewhere):
    code, output, complaints = gatehouse(plane, "run", "look around", "-w", "elsewhere")
    assert (code, output) == (1, "") and "start gatehouse-toold there" in complaints


def test_a_plane_reached_by_another_name_says_how_to_certify_it(plane):
    with contextlib.closing(Proxy(plane.listen, at="127.0.0.3")) as other:
        code, _, complaints = gatehouse(plane, "workspace", "list", options=["--plane", other.address])
    assert code == 1 and "start the plane with --host 127.0.0.3" in complaints


def test_the_authority_of_another_plane_is_told_apart(plane, own_plane):
    code, _, complaints = gatehouse(own_plane, "workspace", "list", options=["--plane", plane.listen])
    assert code == 1 and "ca.pem is of another plane" in complaints


def test_the_open_listener_is_told_apart(plane):
    code, _, complaints = gatehouse(plane, "workspace", "list", options=["--plane", plane.open])
    assert code == 1 and "is it the plane's open listener?" in complaints


def test_a_port_that_is_taken_names_the_option(plane, tmp_path):
    ended = subprocess.run(
        [cli.GATEHOUSE, "plane", "--state", tmp_path / "other", "--listen", "127.0.0.1:0",
         "--listen-open", plane.open, "--listen-admin", "127.0.0.1:0"], capture_output=True, text=True, timeout=30)
    assert ended.returncode == 1
    assert "Address already in use; choose another with --listen-open" in ended.stderr


@pytest.fixture
def daemon(plane, client, elsewhere, tmp_path):
    """Starts the daemon of a workspace elsewhere, as a person would there."""
    (tmp_path / "root").mkdir()
    (tmp_path / "token").write_text(elsewhere.join_token)
    running = []

    def start(enroll_address):
        process = subprocess.Popen(
            [BINARIES / "gatehouse-toold", "--state", tmp_path / "daemon", "--root", tmp_path / "root",
             "--ca", plane.state / "client" / "ca.pem", "--token-file", tmp_path / "token",
             "--enroll-address", enroll_address], stderr=subprocess.PIPE)
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()


def test_a_daemon_that_enrolls_at_the_wrong_listener_says_so(plane, daemon):
    process = daemon(plane.listen)
    while "--enroll-address is the open one" not in (line := process.stderr.readline().decode()):
        assert line, "the daemon ended"


def test_a_daemon_without_an_authority_to_trust_does_not_begin(tmp_path):
    empty = tmp_path / "empty.pem"
    empty.write_text("no certificate\n")
    ended = subprocess.run(
        [BINARIES / "gatehouse-toold", "--state", tmp_path / "daemon", "--root", tmp_path, "--ca", empty],
        capture_output=True, text=True, timeout=20)
    assert ended.returncode != 0
    assert f"{empty} holds no certificate in PEM" in ended.stderr, ended.stderr


def test_a_daemon_whose_workspace_was_deleted_ends(plane, daemon):
    process = daemon(plane.open)
    while "link_up" not in (line := process.stderr.readline().decode()):
        assert line, "the daemon ended"
    gatehouse(plane, "workspace", "delete", "elsewhere")
    _, complaints = process.communicate(timeout=30)
    assert process.returncode == 69 and b"was deleted" in complaints.splitlines()[-1]
