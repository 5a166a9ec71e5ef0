"""Checkpoints posted to a web address: one that takes them, one that hangs, one that fails."""
import http.server, pathlib, subprocess, threading, urllib.request
import pytest
import cli
from plane import Local, Plane, wait_until
from test_audit import audit


class Witness(http.server.ThreadingHTTPServer):
    """Takes what is posted, answers with `status`; with None it says nothing until it is let go."""

    daemon_threads = True

    def __init__(self, status):
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.notes, self.asked, self.let_go = status, [], 0, threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/hook?token=hidden"

    def close(self):
        self.let_go.set()
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        note = self.rfile.read(int(self.headers["Content-Length"])).decode()
        assert self.path == "/hook?token=hidden" and self.headers["Content-Type"].startswith("text/plain")
        self.server.asked += 1
        if self.server.status is None:
            self.server.let_go.wait(50)
            return
        if self.server.status == 200:
            self.server.notes.append(note)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words):
        pass


@pytest.fixture
def witnessed(tmp_path):
    """Starts a plane with a witness; ends both."""
    parts = []

    def start(status):
        witness = Witness(status)
        parts.append(witness.close)
        plane = Plane(tmp_path / "state", settings=f"ledger:\n  webhook: {witness.url}\n  webhook_timeout: 500ms\n")
        parts.append(lambda: plane.process.poll() is None and plane.stop())
        client = plane.client()
        workspace = Local(plane, client, tmp_path / "local", "own")
        parts.append(client.close)
        parts.append(lambda: workspace.close())
        return plane, witness, workspace

    yield start
    while parts:
        parts.pop()()


def metric(plane, name):
    page = urllib.request.urlopen(f"http://{plane.admin}/metrics", timeout=10).read().decode()
    (line,) = [line for line in page.splitlines() if line.startswith(name + " ")]
    return float(line.split()[-1])


DELIVERED = 'gatehouse_checkpoint_webhook_total{result="delivered"}'
FAILED = 'gatehouse_checkpoint_webhook_total{result="failed"}'


def size(note):
    return int(note.splitlines()[1])


def kept(plane):
    """What the file outside has: notes, with empty lines between them."""
    return pathlib.Path(f"{plane.state}.checkpoints").read_text()


def logged(plane, text):
    wait_until(lambda: text in plane.log.read_text(), f"the log does not say {text!r}")


def test_checkpoints_are_posted_as_they_are_kept(witnessed, tmp_path):
    plane, witness, workspace = witnessed(200)
    cli.run(plane, workspace.id, "true")
    wait_until(lambda: metric(plane, DELIVERED) >= 1, "no checkpoint was taken")
    taken = lambda: metric(plane, "gatehouse_checkpoint_webhook")
    wait_until(lambda: taken() == size(witness.notes[-1]), "the metrics do not say what was taken")
    wait_until(lambda: all(note in kept(plane) for note in witness.notes), "the file has other checkpoints")
    workspace.close()
    workspace.close = lambda: None
    plane.stop()
    # The last one too, which was signed at the stop.
    assert kept(plane).rstrip().endswith(witness.notes[-1].rstrip())
    # What a witness has proves as much as the file does.
    notes = tmp_path / "notes"
    notes.write_text("\n".join(witness.notes))
    assert audit(plane, "verify", "--offline", plane.state, "--checkpoints", notes).startswith("whole ")


def test_one_that_hangs_holds_nothing_up(witnessed):
    plane, witness, workspace = witnessed(None)
    wait_until(lambda: metric(plane, FAILED) >= 1, "nothing was tried")
    assert cli.run(plane, workspace.id, "sh", "-c", "exit 3")[0] == 3
    assert metric(plane, "gatehouse_checkpoint_webhook_waiting") == 1
    assert metric(plane, DELIVERED) == 0
    # The file has it all the same.
    wait_until(lambda: metric(plane, "gatehouse_ledger_checkpoint") > 1, "no checkpoint was kept")
    logged(plane, "checkpoint_webhook_failing")
    assert "hidden" not in plane.log.read_text()
    workspace.close()
    workspace.close = lambda: None
    plane.stop()  # in time, though nobody answers


def test_one_that_fails_is_tried_again_until_it_takes_the_newest(witnessed):
    plane, witness, workspace = witnessed(503)
    wait_until(lambda: metric(plane, FAILED) >= 2, "it was not tried again")
    logged(plane, "it answered 503")
    assert witness.notes == []
    witness.status = 200
    wait_until(lambda: metric(plane, DELIVERED) >= 1, "it was not tried again", 40)
    logged(plane, "checkpoint_webhook_resumed")


def test_an_address_that_anybody_could_listen_on_is_refused(tmp_path):
    settings = tmp_path / "plane.yaml"
    settings.write_text("ledger: {webhook: 'http://witness.example.com/hidden'}\n")
    ended = subprocess.run([cli.GATEHOUSE, "plane", "--config", settings], capture_output=True, timeout=30, text=True)
    assert ended.returncode == 78 and "in the clear" in ended.stderr and "hidden" not in ended.stderr
