"""HTTP/2 frame by frame, for peers that break the rules: hyperframe's frames on a socket, hpack's fields."""
import socket
import hpack
from hyperframe.frame import (
    ContinuationFrame, DataFrame, Frame, GoAwayFrame, HeadersFrame, PingFrame, RstStreamFrame, SettingsFrame,
    WindowUpdateFrame)

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
CODES = ["NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
         "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
         "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED"]
GET = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "test")]


def grpc_fields(path="/grpc.testing.TestService/EmptyCall", *more):
    return [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "test"), ("te", "trailers"),
            ("content-type", "application/grpc"), *more]


def frame(kind, flags=0, stream=0, payload=b"", length=None):
    """A frame byte by byte, right or wrong."""
    length = len(payload) if length is None else length
    return length.to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def message(payload=b"", flag=0):
    """A gRPC message with its prefix."""
    return bytes([flag]) + len(payload).to_bytes(4, "big") + payload


class Raw:
    """One end of a connection. Reads wait for at most `seconds`."""

    def __init__(self, connection, seconds=5):
        self.socket, self.buffer, self.is_closed = connection, b"", False
        self.socket.settimeout(seconds)
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.partial = {}

    @classmethod
    def connect(cls, address, preface=True, settings={}):
        host, port = address.rsplit(":", 1)
        raw = cls(socket.create_connection((host, int(port)), 5))
        if preface:
            raw.write(PREFACE)
            raw.send(SettingsFrame(0, settings=settings))
        return raw

    def write(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass  # it was cut off already: what was sent before it says why

    def send(self, *frames):
        self.write(b"".join(each.serialize() for each in frames))

    def block(self, fields):
        return self.encoder.encode(fields)

    def request(self, stream, fields=GET, end=True):
        flags = ["END_HEADERS"] + (["END_STREAM"] if end else [])
        self.send(HeadersFrame(stream, self.block(fields), flags=flags))

    def data(self, stream, data=b"", end=False):
        self.send(DataFrame(stream, data, flags=["END_STREAM"] if end else []))

    def take(self, count):
        while len(self.buffer) < count:
            try:
                more = self.socket.recv(64 << 10)
            except ConnectionError:
                more = b""
            if not more:
                self.is_closed = True
                return None
            self.buffer += more
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def next(self):
        """The next frame, with `fields` for a whole header block; None at the end. Acknowledges SETTINGS and PING."""
        head = self.take(9)
        if head is None:
            return None
        found, length = Frame.parse_frame_header(memoryview(head))
        body = self.take(length)
        if body is None:
            return None
        found.parse_body(memoryview(body))
        if isinstance(found, SettingsFrame) and "ACK" not in found.flags:
            self.send(SettingsFrame(0, flags=["ACK"]))
        if isinstance(found, PingFrame) and "ACK" not in found.flags:
            self.send(PingFrame(0, found.opaque_data, flags=["ACK"]))
        if isinstance(found, (HeadersFrame, ContinuationFrame)):
            block = self.partial.pop(found.stream_id, b"") + found.data
            if "END_HEADERS" in found.flags:
                self.last_fields = self.decoder.decode(block)
                found.fields = dict(self.last_fields)
            else:
                self.partial[found.stream_id] = block
        return found

    def frames(self):
        while (found := self.next()) is not None:
            yield found

    def until(self, *kinds, stream=None):
        """The first frame of a kind; others are passed over."""
        for found in self.frames():
            if isinstance(found, kinds) and stream in (None, found.stream_id):
                return found
        raise AssertionError(f"the connection ended before {[each.__name__ for each in kinds]} came")

    def answer(self, stream):
        """What comes of a request: 'STATUS' of HTTP, 'RST CODE', 'GOAWAY CODE' or 'closed'; and all fields and data."""
        self.fields, self.body, status = {}, b"", None
        for found in self.frames():
            if isinstance(found, GoAwayFrame):
                return "GOAWAY " + CODES[found.error_code]
            if found.stream_id != stream:
                continue
            if isinstance(found, RstStreamFrame) and found.error_code:
                return "RST " + CODES[found.error_code]
            if isinstance(found, DataFrame):
                self.body += found.data
                self.credit(stream, len(found.data))
            if isinstance(found, (HeadersFrame, ContinuationFrame)) and "END_HEADERS" in found.flags:
                self.fields |= found.fields
                status = status or found.fields[":status"]
            if "END_STREAM" in found.flags:
                return status
        return "closed"

    def credit(self, stream, count):
        if count:
            self.send(WindowUpdateFrame(0, window_increment=count), WindowUpdateFrame(stream, window_increment=count))

    def complaint(self):
        """How the other end ends the connection: 'GOAWAY CODE', 'RST CODE' or 'closed'."""
        for found in self.frames():
            if isinstance(found, GoAwayFrame):
                return "GOAWAY " + CODES[found.error_code]
            if isinstance(found, RstStreamFrame):
                return "RST " + CODES[found.error_code]
        return "closed"

    def close(self):
        self.socket.close()
