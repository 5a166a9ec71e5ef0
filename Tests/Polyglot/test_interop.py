"""gRPC's interop cases, ours against grpcio's, both ways, in all three modes."""
import contextlib, socket, ssl, subprocess, threading
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


def test_a_server_without_alpn_speaks_no_http2(identities):
    """RFC 9113 §3.2. The client says so, and not that HTTP/2 was broken."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identities.folder / "server.pem", identities.folder / "server.key")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            with contextlib.suppress(OSError), context.wrap_socket(listener.accept()[0], server_side=True) as peer:
                peer.recv(1)
        threading.Thread(target=serve, daemon=True).start()
        command = [PROGRAM, "client", "empty_unary", "--connect", "127.0.0.1:%d" % listener.getsockname()[1]]
        done = subprocess.run([*command, *identities.flags("tls", "client")], capture_output=True, text=True, timeout=30)
    assert "the server does not speak HTTP/2: it chose no application protocol (ALPN)" in done.stdout + done.stderr


def run_client(address, flags, *more):
    command = [PROGRAM, "client", "all", "--connect", address, *flags, *more]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50)
    lines = done.stdout.splitlines()
    assert [line for line in lines if not line.endswith(": passed")] == [] and done.returncode == 0, done
    assert len(lines) == 20
