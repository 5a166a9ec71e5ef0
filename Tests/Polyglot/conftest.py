import faulthandler, os, signal
import pytest
from http2_raw import Raw
from interop_program import InteropServer
from plane import Local, Plane, Toold


# A shell starts what runs in its background with SIGINT ignored, and programs that we start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def bounded():
    """No test takes longer than a minute: the run ends and says where it stood."""
    faulthandler.dump_traceback_later(60, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture(scope="session")
def plane(tmp_path_factory):
    plane = Plane(tmp_path_factory.mktemp("plane") / "state")
    yield plane
    plane.stop()


@pytest.fixture(scope="session")
def client(plane):
    client = plane.client()
    yield client
    client.close()


@pytest.fixture(scope="session")
def toold(plane, client, tmp_path_factory):
    """One daemon of toold.py for all tests that leave it as it is."""
    daemon = Toold(plane, client, tmp_path_factory.mktemp("toold"), "python")
    yield daemon
    daemon.close()


@pytest.fixture(scope="session")
def local(plane, client, tmp_path_factory):
    workspace = Local(plane, client, tmp_path_factory.mktemp("local"), "local")
    yield workspace
    workspace.close()


@pytest.fixture(params=["toold.py", "gatehouse-toold"])
def workspace(request):
    """A workspace of either kind: a client sees no difference."""
    return request.getfixturevalue({"toold.py": "toold", "gatehouse-toold": "local"}[request.param])


@pytest.fixture
def own_toold(plane, client, tmp_path):
    """A daemon of toold.py for one test that harms it."""
    daemon = Toold(plane, client, tmp_path, "own-" + os.urandom(4).hex())
    yield daemon
    daemon.close()


@pytest.fixture(scope="module")
def server():
    """`gatehouse-interop server` in plaintext."""
    server = InteropServer()
    yield server
    server.stop()


@pytest.fixture
def raw(server):
    """A connection to it, frame by frame."""
    raw = Raw.connect(server.address)
    yield raw
    raw.close()
