"""gRPC's interop cases, ours against grpcio's, both ways, in all three modes."""
import subprocess
import pytest
import interop_grpcio as peer
from interop import test_pb2_grpc
from interop_program import PROGRAM, InteropServer

MODES = ["h2c", "tls", "mtls"]


@pytest.fixture(scope="module")
def identities(tmp_path_factory):
    return peer.Identities(tmp_path_factory.mktemp("interop"))


@pytest.fixture(scope="module", params=MODES)
def ours(request, identities):
    """Our server, as the mode, a stub and a way to connect."""
    server = InteropServer(*identities.flags(request.param, "server"))
    connect = lambda **options: identities.channel(request.param, server.address, **options)
    with connect() as channel:
        yield test_pb2_grpc.TestServiceStub(channel), connect
    server.stop()


@pytest.mark.parametrize("case", peer.CASES, ids=lambda case: case.__name__)
def test_our_server(ours, case):
    case(*ours)


@pytest.mark.parametrize("mode", MODES)
def test_our_client(identities, mode):
    server, address = peer.serve(identities, mode)
    run_client(address, identities.flags(mode, "client"), "--no-probe")
    server.stop(None)


@pytest.mark.parametrize("mode", MODES)
def test_our_client_and_our_server(identities, mode):
    server = InteropServer(*identities.flags(mode, "server"))
    run_client(server.address, identities.flags(mode, "client"))
    server.stop()


def run_client(address, flags, *more):
    command = [PROGRAM, "client", "all", "--connect", address, *flags, *more]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50)
    lines = done.stdout.splitlines()
    assert [line for line in lines if not line.endswith(": passed")] == [] and done.returncode == 0, done
    assert len(lines) == 20
