"""A plane that does what none should: gRPC on the real one's certificate, with calls of a test's own."""
import contextlib, socket, ssl, threading
from concurrent import futures
import grpc, h2.config, h2.connection, h2.events
from gatehouse.tools.v1 import tools_pb2, tools_pb2_grpc


class FakePlane:
    """`invoke` is a generator of responses; it gets the requests and a context."""

    def __init__(self, plane, invoke):
        read = lambda name: (plane.state / "pki" / name).read_bytes()
        self.server = grpc.server(futures.ThreadPoolExecutor(4))
        tools_pb2_grpc.add_ToolsServicer_to_server(Tools(invoke), self.server)
        port = self.server.add_secure_port(
            "127.0.0.1:0", grpc.ssl_server_credentials([(read("server.key"), read("server.pem"))]))
        self.options = ["--plane", f"127.0.0.1:{port}"]

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *error):
        self.server.stop(0).wait()


class Tools(tools_pb2_grpc.ToolsServicer):
    def __init__(self, invoke):
        self.invoke = invoke

    def Invoke(self, requests, context):
        yield from self.invoke(requests, context)

    def Cancel(self, request, context):
        return tools_pb2.CancelResponse()


class RefusesFirst:
    """In front of a plane: the first connection's calls are refused unseen (REFUSED_STREAM), as by one that is about to
    stop; later connections go to the plane itself."""

    def __init__(self, plane):
        host, port = plane.listen.rsplit(":", 1)
        self.target, self.pki = (host, int(port)), plane.state / "pki"
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.options = ["--plane", "127.0.0.1:%d" % self.listener.getsockname()[1]]

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.listener.close()

    def accept(self):
        try:
            threading.Thread(target=self.refuse, args=(self.listener.accept()[0],), daemon=True).start()
            while True:
                pair = self.listener.accept()[0], socket.create_connection(self.target)
                for source, sink in (pair, pair[::-1]):
                    threading.Thread(target=copy, args=(source, sink), daemon=True).start()
        except OSError:
            pass  # the test is over

    def refuse(self, connection):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pki / "server.pem", self.pki / "server.key")
        context.set_alpn_protocols(["h2"])
        with context.wrap_socket(connection, server_side=True) as tls:
            peer = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
            peer.initiate_connection()
            tls.sendall(peer.data_to_send())
            while data := tls.recv(16_384):
                for event in peer.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        peer.reset_stream(event.stream_id, 7)
                tls.sendall(peer.data_to_send())


def copy(source, sink):
    with source, sink, contextlib.suppress(OSError):  # the other way may have ended both
        while data := source.recv(65_536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_RDWR)
