"""Stock clients and daemons that get a hundred streams on a connection do not wait for each other for ever."""
import concurrent.futures, os, threading, urllib.request
import pytest
from prometheus_client.parser import text_string_to_metric_families
from plane import HERE, Plane, Toold, wait_until

STREAMS, CALLS = 100, 300


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    plane = Plane(tmp_path_factory.mktemp("few") / "state", settings=f"connections: {{max_streams: {STREAMS}}}\n")
    yield plane
    plane.stop()


class EagerToold(Toold):
    """A daemon that takes more calls at once than it has streams for, so that some of its `Carry` wait behind others."""

    def start(self):
        eager = (HERE / "toold.py").read_text().replace("max_calls=64", f"max_calls={CALLS}")
        assert f"max_calls={CALLS}" in eager
        self.program = self.folder / "toold.py"
        self.program.write_text(eager)
        os.symlink(HERE / "enroll.py", self.folder / "enroll.py")
        super().start()


def test_more_calls_than_streams_end_right(few, tmp_path):
    """150 at once of each of two clients, and all of them of one daemon; none gets its input before no stream is left."""
    clients = [few.client() for _ in range(2)]
    daemon = EagerToold(few, clients[0], tmp_path, "few")
    is_full = threading.Event()
    try:
        with concurrent.futures.ThreadPoolExecutor(CALLS) as pool:
            calls = [pool.submit(run, clients[i % 2], daemon.id, i, is_full) for i in range(CALLS)]
            try:
                wait_until(lambda: carried(few) == STREAMS - 1, "the daemon does not carry a call on each stream that it has")
            finally:
                is_full.set()
            for each in calls:
                each.result()
        assert not clients[0].list(workspace=daemon.id, running_only=True)
    finally:
        daemon.close()
        for each in clients:
            each.close()


def run(client, workspace, index, may_type):
    call = client.exec(workspace, "sh", "-c", f"read line; echo {index} $line", stdin=True)
    may_type.wait()
    call.write(b"typed\n")
    call.close_stdin()
    call.result()
    assert (call.output.exit.code, call.output.stdout) == (0, b"%d typed\n" % index)


def carried(plane):
    """`Carry` streams that there are; the daemon has one for `Connect` as well."""
    with urllib.request.urlopen(f"http://{plane.admin}/metrics", timeout=10) as answer:
        families = {each.name: each for each in text_string_to_metric_families(answer.read().decode())}
    return families["gatehouse_attachments"].samples[0].value
