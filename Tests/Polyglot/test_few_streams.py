"""Stock clients and daemons that get a hundred streams on a connection do not wait for each other for ever."""
import concurrent.futures, os
import pytest
from plane import HERE, Plane, Toold

CALLS = 300


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    plane = Plane(tmp_path_factory.mktemp("few") / "state", settings="connections: {max_streams: 100}\n")
    yield plane
    plane.stop()


class EagerToold(Toold):
    """A daemon that wants more calls at once than it has streams for, so that some of its `Carry` wait behind others."""

    def start(self):
        eager = (HERE / "toold.py").read_text().replace("max_calls=64", f"max_calls={CALLS}")
        assert f"max_calls={CALLS}" in eager
        self.program = self.folder / "toold.py"
        self.program.write_text(eager)
        if not (self.folder / "enroll.py").exists():
            os.symlink(HERE / "enroll.py", self.folder / "enroll.py")
        super().start()


def test_more_calls_than_streams_end_right(few, tmp_path):
    """300 at once of one client on one connection, then of four on their own, with a daemon that takes all of them."""
    client = few.client()
    daemon = EagerToold(few, client, tmp_path, "few")
    others = [few.client() for _ in range(4)]
    try:
        for owners in ([client], others):
            with concurrent.futures.ThreadPoolExecutor(CALLS) as pool:
                for ended in [pool.submit(run, owners[i % len(owners)], daemon.id, i) for i in range(CALLS)]:
                    ended.result(50)
        assert len(client.list(workspace=daemon.id, running_only=True)) == 0
    finally:
        daemon.close()
        for each in (client, *others):
            each.close()


def run(client, workspace, index):
    call = client.exec(workspace, "sh", "-c", f"read line; echo {index} $line", stdin=True)
    call.write(b"typed\n")
    call.close_stdin()
    call.result()
    assert (call.output.exit.code, call.output.stdout) == (0, b"%d typed\n" % index)
