"""Another version's plane, daemon and client against this tree's, and the reverse: `make test-skew` builds them.

`GATEHOUSE_OTHER_BINARIES` is the folder with the other version's programs. What one version leaves in a state
folder, the other goes on from.
"""
import base64, json, os, pathlib, subprocess
import pytest
import cli
from plane import BINARIES, Local, Plane, wait_until
from gatehouse.plane.v1 import workspaces_pb2

OTHER = pathlib.Path(os.environ.get("GATEHOUSE_OTHER_BINARIES", "/none"))
PROGRAMS = {"this": BINARIES, "other": OTHER}

pytestmark = pytest.mark.skipif(not OTHER.exists(), reason="takes another version's programs; run: make test-skew BASE=rev")

AGENT = [
    {"text": "I look.", "calls": [{"tool": "process.shell", "arguments": {"script": "echo from the agent"}}]},
    {"text": "done"},
]


class Site:
    """A plane of one version with a workspace whose daemon is of another."""

    def __init__(self, folder, plane, daemon):
        self.folder, script = folder, folder / "script.json"
        script.write_text(json.dumps({"name": "script", "pace_ms": 0, "steps": AGENT}))
        self.settings = f"daemon:\n  program: {PROGRAMS[daemon] / 'gatehouse-toold'}\nmodel:\n  script: {script}\n"
        self.plane = Plane(folder / "state", settings=self.settings, program=PROGRAMS[plane] / "gatehouse")
        self.workspace = None
        client = self.plane.client()
        self.workspace = Local(self.plane, client, folder / "local", "own")
        client.close()

    def gatehouse(self, version, *words, code=0, data=b""):
        ended = subprocess.run(
            [PROGRAMS[version] / "gatehouse", *words, "--state", self.plane.state],
            input=data, capture_output=True, timeout=55)
        assert ended.returncode == code, (words, ended.returncode, ended.stdout[-500:], ended.stderr[-500:])
        return ended.stdout.decode()

    def exec(self, version, *argv, code=0, data=b""):
        ended = subprocess.run(
            [PROGRAMS[version] / "gatehouse", "exec", "--state", self.plane.state, self.workspace.id, "--", *argv],
            input=data, capture_output=True, timeout=55)
        assert ended.returncode == code, (argv, ended.returncode, ended.stdout[-500:], ended.stderr[-500:])
        return ended.stdout

    def restart(self, version):
        self.plane.stop()
        self.plane.program = PROGRAMS[version] / "gatehouse"
        self.plane.start()
        client = self.plane.client()
        linked = lambda: client.workspace(self.workspace.id).state == workspaces_pb2.WORKSPACE_STATE_LINKED
        wait_until(linked, "its daemon did not link")
        client.close()

    def close(self):
        client = self.plane.client()
        self.workspace.client = client
        self.workspace.close()
        client.close()
        self.plane.stop()


@pytest.fixture
def site(tmp_path):
    made = []

    def start(plane, daemon):
        made.append(Site(tmp_path, plane, daemon))
        return made[0]

    yield start
    for one in made:
        one.close()


COMBINATIONS = [("this", "other", "other"), ("this", "this", "other"), ("this", "other", "this"),
                ("other", "this", "this"), ("other", "other", "this"), ("other", "this", "other")]


@pytest.mark.parametrize("plane, daemon, client", COMBINATIONS)
def test_versions_work_together(site, plane, daemon, client):
    own = site(plane, daemon)
    data = os.urandom(200_000)
    assert own.exec(client, "sh", "-c", "cat; exit 7", code=7, data=data) == data
    content = base64.b64encode(b"hello\n").decode()
    request = json.dumps({"path": base64.b64encode(b"notes.txt").decode(), "content": content})
    own.gatehouse(client, "call", "invoke", own.workspace.id, "files.write", "--request", request)
    assert (own.workspace.root / "notes.txt").read_bytes() == b"hello\n"
    said = own.gatehouse(client, "run", "look", "--model", "script", "--workspace", own.workspace.id)
    assert "done" in said
    assert own.workspace.id in own.gatehouse(client, "workspace", "list")
    assert "process.exec" in own.gatehouse(client, "call", "list")
    assert "files.write" in own.gatehouse(client, "audit", "why", "notes.txt", "--workspace", "own")
    assert own.gatehouse(client, "audit", "verify").startswith("whole ")


# Prints, waits for the plane that comes next, and ends with its own code.
COMMAND = "i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); done; while [ ! -e go ]; do sleep 0.05; done; echo went; exit 9"


@pytest.mark.parametrize("before, after", [("other", "this"), ("this", "other")])
def test_a_command_and_the_record_outlive_an_exchange_of_planes(site, before, after):
    own = site(before, before)
    words = [PROGRAMS[before] / "gatehouse", "exec", "--state", own.plane.state, own.workspace.id, "--", "sh", "-c", COMMAND]
    with cli.Running(words) as running:
        running.expect("2999")
        own.restart(after)
        (own.workspace.root / "go").touch()
        code, output, complaints = running.end(50)
    assert (code, output) == (9, b"went\n"), complaints
    assert own.exec(after, "sh", "-c", "exit 5", code=5) == b""
    for version in "this", "other":
        assert own.gatehouse(version, "audit", "verify").startswith("whole ")
