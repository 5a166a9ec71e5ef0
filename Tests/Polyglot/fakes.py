"""A plane that does what none should: gRPC on the real one's certificate, with calls of a test's own."""
from concurrent import futures
import grpc
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
