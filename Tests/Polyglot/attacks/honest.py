"""An honest client beside an attack: one unary call every 20 ms, by PyPI's h2, in a process of its own.

honest.py kept|anew|http ADDRESS PATH REQUEST_HEX [FOLDER]: on one connection, with the identity of the folder if there is one;
on a new one for each call, as whoever enrolls, without; or a probe's GET. Reads `start` and `report` from standard input;
answers with a line of JSON, a few calls later, so that what came last is in it. A call's delay counts from when it was due, so
what a stalled server makes late is not left out. Between a report and the next start it calls once a second."""
import json, pathlib, select, socket, ssl, struct, sys, time
import h2.config, h2.connection, h2.events

EVERY, IDLE = 0.02, 1.0
CALLS_BEFORE_REPORT = 5


class Kept:
    """gRPC on one connection."""

    def __init__(self, address, path, request, folder=None):
        self.address, self.path, self.folder = address, path, folder
        self.body = b"\0" + struct.pack(">I", len(request)) + request
        self.socket = None

    def tls(self):
        context = ssl.create_default_context(cafile=pathlib.Path(self.folder, "ca.pem"))
        context.load_cert_chain(pathlib.Path(self.folder, "cert.pem"), pathlib.Path(self.folder, "key.pem"))
        return context

    def connect(self):
        host, port = self.address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), 10)
        if self.folder:
            context = self.tls()
            context.set_alpn_protocols(["h2"])
            self.socket = context.wrap_socket(self.socket, server_hostname=host)
        self.socket.settimeout(10)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.flush()

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None

    def call(self):
        if not self.socket:
            self.connect()
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, [
            (":method", "POST"), (":scheme", "https"), (":path", self.path), (":authority", self.address),
            ("te", "trailers"), ("content-type", "application/grpc")])
        self.h2.send_data(stream, self.body, end_stream=True)
        self.flush()
        status = None
        while True:
            data = self.socket.recv(64 << 10)
            if not data:
                raise OSError("the connection was closed")
            for event in self.h2.receive_data(data):
                if isinstance(event, h2.events.ConnectionTerminated):
                    raise OSError(f"GOAWAY {event.error_code} {event.additional_data}")
                if isinstance(event, h2.events.DataReceived):
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                if getattr(event, "stream_id", None) != stream:
                    continue
                if isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)):
                    status = dict(event.headers).get("grpc-status", status)
                if isinstance(event, h2.events.StreamReset):
                    raise OSError(f"RST {event.error_code}")
                if isinstance(event, h2.events.StreamEnded):
                    if status != "0":
                        raise OSError(f"grpc-status {status}")
                    self.flush()
                    return
            self.flush()


class Anew(Kept):
    """gRPC without an identity, each call on a connection of its own."""

    def tls(self):
        return ssl.create_default_context(cafile=pathlib.Path(self.folder, "ca.pem"))

    def call(self):
        super().call()
        self.close()


class Http(Anew):
    """A probe: HTTP/1.1, each request on a connection of its own."""

    def call(self):
        host, port = self.address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), 10) as connection:
            connection.sendall(f"GET {self.path} HTTP/1.1\r\nHost: {self.address}\r\n\r\n".encode())
            answer = b""
            while data := connection.recv(64 << 10):
                answer += data
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise OSError(f"answered {answer[:80]}")


class Watch:
    """Has it call, and says how that went."""

    def __init__(self, client):
        self.client, self.every = client, IDLE
        self.clear()

    def clear(self):
        self.delays, self.failures = [], []

    def run(self):
        due, calls_left = time.monotonic(), None
        while True:
            if select.select([sys.stdin], [], [], max(0, due - time.monotonic()))[0]:
                command = sys.stdin.readline().strip()
                if not command:
                    return
                if command == "report":
                    calls_left = CALLS_BEFORE_REPORT
                else:
                    self.clear()
                due, self.every = time.monotonic(), EVERY
                continue
            try:
                self.client.call()
                self.delays.append(time.monotonic() - due)
            except Exception as error:
                self.failures.append(f"{type(error).__name__} {error} after {time.monotonic() - due:.2f} s")
                self.client.close()
            due = max(due + self.every, time.monotonic())
            if calls_left is not None:
                calls_left -= 1
            if calls_left == 0:
                print(json.dumps(self.report()), flush=True)
                self.clear()
                calls_left, self.every = None, IDLE

    def report(self):
        delays = sorted(self.delays) or [0]
        return {"calls": len(self.delays), "failures": self.failures[:5], "worst": delays[-1],
                "p50": delays[len(delays) // 2], "p99": delays[len(delays) * 99 // 100]}


if __name__ == "__main__":
    kind, address, path, request, *folder = sys.argv[1:]
    clients = {"kept": Kept, "anew": Anew, "http": Http}
    Watch(clients[kind](address, path, bytes.fromhex(request), *folder)).run()
