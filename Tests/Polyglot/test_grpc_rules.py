"""gRPC over HTTP/2, rule by rule, on the wire: what no stock library can be made to send."""
import base64, gzip, socket, subprocess, threading
import pytest
from hyperframe.frame import DataFrame, GoAwayFrame, HeadersFrame, RstStreamFrame, SettingsFrame
from http2_raw import CODES, PREFACE, Raw, grpc_fields, message
from interop import messages_pb2 as messages
from interop_grpcio import SPECIAL
from interop_program import PROGRAM, InteropServer

SERVICE = "/grpc.testing.TestService/"
OK, CANCELLED, UNKNOWN, INVALID_ARGUMENT, DEADLINE_EXCEEDED, NOT_FOUND = "0", "1", "2", "3", "4", "5"
RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE = "8", "12", "13", "14"


def call(raw, method, *bodies, fields=(), stream=1, flag=0):
    """A call with these messages, to its end; the status in its trailers."""
    raw.request(stream, grpc_fields(SERVICE + method, *fields), end=False)
    raw.data(stream, b"".join(message(body, flag) for body in bodies), end=True)
    assert raw.answer(stream) == "200"
    return raw.fields["grpc-status"]


# Requests

@pytest.mark.parametrize("kind", ["application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8"])
def test_content_types_of_grpc(raw, kind):
    fields = [pair for pair in grpc_fields(SERVICE + "EmptyCall") if pair[0] not in ("content-type", "te")]
    raw.request(1, [*fields, ("content-type", kind), ("user-agent", "test/1")], end=False)  # and without te
    raw.data(1, message(), end=True)
    assert raw.answer(1) == "200" and raw.fields["grpc-status"] == OK
    assert raw.fields["content-type"] == "application/grpc"


@pytest.mark.parametrize("method, path, kind, status", [
    ("POST", SERVICE + "EmptyCall", "application/grpc-web", "415"), ("POST", SERVICE + "EmptyCall", "text/plain", "415"),
    ("GET", "/favicon.ico", None, "404"), ("PUT", "/none", "application/grpc", "404"),
    ("GET", SERVICE + "EmptyCall", "application/grpc", "405")])
def test_other_http_gets_an_orderly_answer(raw, method, path, kind, status):
    fields = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "x")]
    raw.request(1, fields + ([("content-type", kind)] if kind else []))
    assert raw.answer(1) == status
    assert raw.fields["content-type"].startswith("text/plain") and len(raw.body) == int(raw.fields["content-length"])
    assert raw.fields.get("allow") == ("POST" if status == "405" else None)
    raw.request(3, [(":method", "HEAD"), *fields[1:]])
    raw.answer(3)
    assert raw.body == b"" and int(raw.fields["content-length"]) > 0


@pytest.mark.parametrize("fields, status", [
    ([("cookie", "c" * 1000)] * 20, "431"), ([("x-bin", "no base64!")], "404"), ([("grpc-encoding", "br")], "404")])
def test_what_is_no_grpc_is_not_judged_as_grpc(raw, fields, status):
    raw.request(1, [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "x"), *fields])
    assert raw.answer(1) == status and "grpc-status" not in raw.fields
    assert raw.fields["content-type"].startswith("text/plain") and raw.body


def test_an_unknown_method_is_trailers_only(raw):
    raw.request(1, grpc_fields(SERVICE + "UnimplementedCall"), end=False)
    found = raw.until(HeadersFrame)
    assert "END_STREAM" in found.flags and found.fields[":status"] == "200"
    assert found.fields["grpc-status"] == UNIMPLEMENTED and "UnimplementedCall" in found.fields["grpc-message"]
    assert found.fields["content-type"] == "application/grpc"
    # The rest of the request is not wanted (RFC 9113 §8.1).
    assert raw.until(RstStreamFrame).error_code == CODES.index("NO_ERROR")


@pytest.mark.parametrize("path", ["", "/", "/grpc.testing.TestService", SERVICE, "/none.None/Call"])
def test_odd_paths_are_unimplemented(raw, path):
    raw.request(1, grpc_fields(path or "/"), end=True)
    assert raw.answer(1) == "200" and raw.fields["grpc-status"] == UNIMPLEMENTED


@pytest.mark.parametrize("bodies", [[], [b"", b""]], ids=["none", "two"])
def test_a_unary_method_takes_one_request(raw, bodies):
    assert call(raw, "EmptyCall", *bodies) == UNIMPLEMENTED


@pytest.mark.parametrize("settings, sizes", [({SettingsFrame.INITIAL_WINDOW_SIZE: 0}, []), ({}, [65_522])])
def test_trailers_wait_for_no_window(server, settings, sizes):
    """RFC 9113 §5.2.1: only DATA does."""
    raw = Raw.connect(server.address, settings=settings)
    raw.request(1, grpc_fields(SERVICE + "FullDuplexCall"), end=False)
    request = messages.StreamingOutputCallRequest(response_parameters=[messages.ResponseParameters(size=size) for size in sizes])
    if sizes:
        raw.data(1, message(request.SerializeToString()))
        missing = 65_535  # the window, to the byte
        while missing:
            missing -= len(raw.until(DataFrame).data)
    raw.data(1, b"", end=True)
    found = raw.until(HeadersFrame)
    while "END_STREAM" not in found.flags:
        found = raw.until(HeadersFrame)
    assert found.fields == {"grpc-status": OK}
    raw.close()


@pytest.mark.parametrize("part", [b"\0", b"\0\0\0\0", b"\0\0\0\0\5", b"\0\0\0\0\5four"])
def test_an_end_inside_a_message(raw, part):
    raw.request(1, grpc_fields(SERVICE + "StreamingInputCall"), end=False)
    raw.data(1, part, end=True)
    assert raw.answer(1) == "200" and raw.fields["grpc-status"] == INTERNAL


def test_a_message_above_the_limit(raw):
    raw.request(1, grpc_fields(SERVICE + "UnaryCall"), end=False)
    raw.data(1, b"\0\x7f\xff\xff\xff")
    assert raw.answer(1) == "200" and raw.fields["grpc-status"] == RESOURCE_EXHAUSTED


def test_a_request_that_is_no_protobuf(raw):
    assert call(raw, "UnaryCall", b"\xff\xff") == INTERNAL


# Metadata

TRAILING = "x-grpc-test-echo-trailing-bin"


@pytest.mark.parametrize("values, expected", [
    (["q6ur"], [b"\xab\xab\xab"]), (["AQI"], [b"\1\2"]), (["AQI="], [b"\1\2"]), ([""], [b""]),
    (["AQI,Aw=="], [b"\1\2", b"\3"]), (["AQI", "Aw"], [b"\1\2", b"\3"]), (["AQI, Aw", "BA"], [b"\1\2", b"\3", b"\4"])])
def test_binary_metadata(raw, values, expected):
    raw.request(1, grpc_fields(SERVICE + "UnaryCall", *((TRAILING, value) for value in values)), end=False)
    raw.data(1, message(), end=True)
    found = []
    for each in raw.frames():
        if isinstance(each, HeadersFrame):
            block = raw.last_fields
            found += [base64.b64decode(value + "=" * (-len(value) % 4)) for name, value in block if name == TRAILING]
            if "END_STREAM" in each.flags:
                break
    assert found == expected


@pytest.mark.parametrize("value", ["A", "AQ=", "A?==", "AQI,~", "AQ=I"])
def test_binary_metadata_that_is_no_base64(raw, value):
    raw.request(1, grpc_fields(SERVICE + "EmptyCall", ("x-data-bin", value)), end=False)
    raw.data(1, message(), end=True)
    assert raw.answer(1) == "200" and raw.fields["grpc-status"] == INTERNAL
    assert "x-data-bin" in raw.fields["grpc-message"]


def test_a_status_message_is_percent_encoded(raw):
    request = messages.SimpleRequest(response_status=messages.EchoStatus(code=2, message=SPECIAL + "100%"))
    assert call(raw, "UnaryCall", request.SerializeToString()) == UNKNOWN
    assert raw.fields["grpc-message"] == (
        "%09%0Atest with whitespace%0D%0Aand Unicode BMP %E2%98%BA and non-BMP %F0%9F%98%88%09%0A100%25")


# Deadlines

@pytest.mark.parametrize("timeout", ["1n", "99999999n", "50u", "10m", "1S", "0S", "0H", "00000001m"])
def test_a_deadline_in_each_unit(raw, timeout):
    raw.request(1, grpc_fields(SERVICE + "FullDuplexCall", ("grpc-timeout", timeout)), end=False)
    assert raw.answer(1) == "200" and raw.fields["grpc-status"] == DEADLINE_EXCEEDED


@pytest.mark.parametrize("timeout", ["1H", "1M", "99999999H", "99999999M"])
def test_a_deadline_far_away(raw, timeout):
    assert call(raw, "EmptyCall", b"", fields=[("grpc-timeout", timeout)]) == OK


@pytest.mark.parametrize("timeout", ["", "1", "S", "1s", "-1S", "1.5S", "123456789S", "1 S"])
def test_a_malformed_deadline(raw, timeout):
    assert call(raw, "EmptyCall", b"", fields=[("grpc-timeout", timeout)]) == INTERNAL


def test_past_its_deadline_a_call_with_unread_output_is_reset(server):
    raw = Raw.connect(server.address, settings={SettingsFrame.INITIAL_WINDOW_SIZE: 0})
    request = messages.StreamingOutputCallRequest(response_parameters=[messages.ResponseParameters(size=1000)])
    raw.request(1, grpc_fields(SERVICE + "StreamingOutputCall", ("grpc-timeout", "50m")), end=False)
    raw.data(1, message(request.SerializeToString()), end=True)
    assert raw.until(RstStreamFrame).error_code == CODES.index("CANCEL")
    raw.close()


# Compression

def large(**fields):
    return messages.SimpleRequest(response_size=10000, **fields).SerializeToString()


def compressed(value=True):
    return messages.BoolValue(value=value)


def test_an_answer_is_compressed_for_those_who_take_it(raw):
    request = large(response_compressed=compressed())
    assert call(raw, "UnaryCall", request, fields=[("grpc-accept-encoding", "identity, deflate, gzip")]) == OK
    assert raw.fields["grpc-encoding"] == "gzip" and raw.body[0] == 1 and len(raw.body) < 1000
    answer = messages.SimpleResponse.FromString(gzip.decompress(raw.body[5:]))
    assert answer.payload.body == bytes(10000)
    assert call(raw, "UnaryCall", request, stream=3) == OK
    assert "grpc-encoding" not in raw.fields and raw.body[0] == 0
    assert "gzip" in raw.fields["grpc-accept-encoding"]


def test_messages_may_be_compressed_or_not_within_one_stream(raw):
    requests = [messages.StreamingInputCallRequest(payload=messages.Payload(body=bytes(size)), expect_compressed=compressed(flag))
                for size, flag in ((1000, True), (200, False), (30, True))]
    raw.request(1, grpc_fields(SERVICE + "StreamingInputCall", ("grpc-encoding", "gzip")), end=False)
    for each in requests:
        body = each.SerializeToString()
        flag = each.expect_compressed.value
        raw.data(1, message(gzip.compress(body) if flag else body, flag))
    raw.data(1, end=True)
    assert raw.answer(1) == "200" and raw.fields["grpc-status"] == OK
    assert messages.StreamingInputCallResponse.FromString(raw.body[5:]).aggregated_payload_size == 1230


@pytest.mark.parametrize("encoding, body, flag, status", [
    ("snappy", b"", 0, UNIMPLEMENTED), ("snappy", b"x", 1, UNIMPLEMENTED), (None, gzip.compress(b""), 1, INTERNAL),
    ("identity", gzip.compress(b""), 1, INTERNAL), ("gzip", b"no gzip", 1, INTERNAL), ("gzip", b"", 1, INTERNAL),
    ("gzip", gzip.compress(b"")[:-1], 1, INTERNAL), ("gzip", gzip.compress(b""), 2, INTERNAL),
    ("gzip", gzip.compress(bytes(5 << 20)), 1, RESOURCE_EXHAUSTED), ("gzip", gzip.compress(b""), 1, OK), ("gzip", b"", 0, OK)])
def test_encodings_and_flags(raw, encoding, body, flag, status):
    fields = [("grpc-encoding", encoding)] if encoding else []
    assert call(raw, "EmptyCall", body, fields=fields, flag=flag) == status
    if status == UNIMPLEMENTED:
        assert raw.fields["grpc-accept-encoding"] == "identity,gzip" and "snappy" in raw.fields["grpc-message"]


# Going away

def test_a_server_goes_away_in_two_steps():
    server = InteropServer()
    raw = Raw.connect(server.address)
    raw.request(1, grpc_fields(SERVICE + "StreamingInputCall"), end=False)
    raw.request(3, grpc_fields(SERVICE + "EmptyCall"), end=True)
    raw.answer(3)
    server.process.terminate()
    assert raw.until(GoAwayFrame).last_stream_id == (1 << 31) - 1
    # A call that was on its way is served.
    raw.request(5, grpc_fields(SERVICE + "EmptyCall"), end=False)
    raw.data(5, message(), end=True)
    found = [each for each in until_end(raw, 5)]
    last = [each for each in found if isinstance(each, GoAwayFrame)]
    last = last[0] if last else raw.until(GoAwayFrame)
    assert last.last_stream_id == 5 and last.error_code == 0 and last.additional_data == b"the server is stopping"
    assert any(each.stream_id == 5 and isinstance(each, DataFrame) for each in found)
    # And one under way ends well.
    raw.data(1, message(), end=True)
    raw.answer(1)
    assert raw.fields["grpc-status"] == OK
    assert raw.complaint() == "closed"
    assert server.process.wait(10) == 0


def until_end(raw, stream):
    for each in raw.frames():
        yield each
        if each.stream_id == stream and "END_STREAM" in each.flags:
            return


# The client's half

class Script:
    """A server that answers each stream as it is told, by a function of the connection, the stream and its number."""

    def __init__(self, answer, settings={}):
        self.answer, self.settings, self.requests, self.frames = answer, settings, [], []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                raw = Raw(self.listener.accept()[0])
            except OSError:
                return
            with raw.socket:
                assert raw.take(len(PREFACE)) == PREFACE
                raw.send(SettingsFrame(0, settings=self.settings))
                for found in raw.frames():
                    self.frames.append(found)
                    if isinstance(found, HeadersFrame):
                        self.requests.append(found.fields)
                        self.answer(raw, found.stream_id, len(self.requests))

    def run(self, case="empty_unary", *flags):
        """What our client says of a case."""
        command = [PROGRAM, "client", case, "--connect", self.address, *flags]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(10)
        return done.stdout.strip()


HEAD = [(":status", "200"), ("content-type", "application/grpc")]


def respond(*trailers, head=HEAD, body=message()):
    def answer(raw, stream, number):
        raw.request(stream, head, end=False)
        raw.data(stream, body)
        raw.request(stream, list(trailers), end=True)
    return answer


def only(*fields):
    """Trailers-only."""
    return lambda raw, stream, number: raw.request(stream, list(fields), end=True)


def rst(code):
    return lambda raw, stream, number: raw.send(RstStreamFrame(stream, error_code=code))


def test_what_a_client_sends():
    script = Script(respond(("grpc-status", "0")))
    assert script.run() == "empty_unary: passed"
    fields, = script.requests
    assert fields[":method"] == "POST" and fields[":scheme"] == "http" and fields[":path"] == SERVICE + "EmptyCall"
    assert fields["te"] == "trailers" and fields["content-type"] == "application/grpc"
    assert fields[":authority"] == script.address and fields["user-agent"].startswith("grpc-swift-gatehouse/")
    assert fields["grpc-timeout"][:-1].isdigit() and fields["grpc-timeout"][-1] in "HMSmun"
    named = Script(respond(("grpc-status", "0")))
    assert named.run("empty_unary", "--server-name", "tools.example") == "empty_unary: passed"
    assert named.requests[0][":authority"] == "tools.example"


@pytest.mark.parametrize("answer, expected", [
    (only(*HEAD, ("grpc-status", "5"), ("grpc-message", "no%20such%25%E2%98%BA%zz")), "NOT_FOUND: no such%☺%zz"),
    (respond(("grpc-status", "99")), "UNKNOWN"),
    (respond(("grpc-status", "seven")), "UNKNOWN"),
    (respond(("x-other", "1")), "UNKNOWN: the server ended the call without a status"),
    (respond(("grpc-status", "0"), body=b""), "UNIMPLEMENTED"),
    (respond(("grpc-status", "0"), body=message() * 2), "UNIMPLEMENTED"),
    (respond(("grpc-status", "0"), body=b"\0\0\0"), "INTERNAL"),
    (respond(("grpc-status", "0"), body=message(flag=1)), "INTERNAL"),
    (respond(("grpc-status", "0"), head=[*HEAD, ("grpc-encoding", "br")]), "INTERNAL"),
    (respond(("grpc-status", "0"), ("x-bin", "A")), "INTERNAL"),
    # Behind the status there is nothing to read.
    (only(*HEAD, ("grpc-encoding", "br"), ("grpc-status", "12"), ("grpc-message", "none")), "UNIMPLEMENTED: none"),
    # The limit of header fields is for each block.
    (respond(("grpc-status", "9"), ("x-detail", "d" * 9000), head=[*HEAD, ("x-more", "m" * 9000)]), "FAILED_PRECONDITION"),
    (respond(("grpc-status", "9"), ("x-detail", "d" * 17000)), "RESOURCE_EXHAUSTED: more than 16384 bytes of header fields"),
    (only((":status", "200"), ("content-type", "text/html")), "UNKNOWN"),
    (respond(("x", "y"), head=[(":status", "200"), ("content-type", "text/html")], body=b"<html>"), "UNKNOWN"),
    *[(only((":status", status)), code) for status, code in [
        ("400", "INTERNAL"), ("401", "UNAUTHENTICATED"), ("403", "PERMISSION_DENIED"), ("404", "UNIMPLEMENTED"),
        ("429", "UNAVAILABLE"), ("502", "UNAVAILABLE"), ("503", "UNAVAILABLE"), ("504", "UNAVAILABLE"), ("500", "UNKNOWN")]],
    (respond(("x", "y"), head=[(":status", "503"), ("content-type", "text/html")], body=b"<html>"), "UNAVAILABLE"),
    # A proxy's status beside gRPC's own: the latter counts.
    (only((":status", "503"), ("content-type", "application/grpc"), ("grpc-status", "7")), "PERMISSION_DENIED"),
    *[(rst(CODES.index(name)), code) for name, code in [
        ("NO_ERROR", "INTERNAL"), ("PROTOCOL_ERROR", "INTERNAL"), ("INTERNAL_ERROR", "INTERNAL"), ("FLOW_CONTROL_ERROR", "INTERNAL"),
        ("REFUSED_STREAM", "UNAVAILABLE"), ("CANCEL", "CANCELLED"), ("COMPRESSION_ERROR", "INTERNAL"), ("CONNECT_ERROR", "INTERNAL"),
        ("ENHANCE_YOUR_CALM", "RESOURCE_EXHAUSTED"), ("INADEQUATE_SECURITY", "PERMISSION_DENIED")]],
    (lambda raw, stream, number: raw.socket.shutdown(socket.SHUT_RDWR), "UNAVAILABLE"),
    (lambda raw, stream, number: raw.send(GoAwayFrame(0, last_stream_id=0, error_code=0)), "UNAVAILABLE"),
])
def test_what_a_client_makes_of_an_answer(answer, expected):
    assert Script(answer).run().startswith("empty_unary: failed: " + expected)


def test_a_client_says_why_the_server_goes():
    def answer(raw, stream, number):
        raw.send(GoAwayFrame(0, last_stream_id=0, error_code=CODES.index("ENHANCE_YOUR_CALM"), additional_data=b"too\0 many"))
    script = Script(answer)
    said = script.run()
    assert said.startswith("empty_unary: failed: UNAVAILABLE") and "is going away (code 11: too many)" in said
    assert len(script.requests) == 1


def test_informational_answers_are_passed_over():
    def answer(raw, stream, number):
        raw.request(stream, [(":status", "103")], end=False)
        respond(("grpc-status", "0"))(raw, stream, number)
    assert Script(answer).run() == "empty_unary: passed"


def test_metadata_behind_an_informational_answer_is_the_answers():
    initial, trailing = ("x-grpc-test-echo-initial", "test_initial_metadata_value"), ("x-grpc-test-echo-trailing-bin", "q6ur")

    def answer(raw, stream, number):
        for hint in ("style.css", "code.js"):
            raw.request(stream, [(":status", "103"), ("link", hint)], end=False)
        respond(("grpc-status", "0"), trailing, head=[*HEAD, initial])(raw, stream, number)
    assert Script(answer).run("custom_metadata") == "custom_metadata: passed"


def test_a_reset_after_a_whole_answer_changes_nothing():
    def answer(raw, stream, number):
        respond(("grpc-status", "0"))(raw, stream, number)
        raw.send(RstStreamFrame(stream, error_code=0))
    assert Script(answer).run() == "empty_unary: passed"


def test_a_refused_stream_is_tried_once_more():
    def answer(raw, stream, number):
        (rst(CODES.index("REFUSED_STREAM")) if number == 1 else respond(("grpc-status", "0")))(raw, stream, number)
    script = Script(answer)
    assert script.run() == "empty_unary: passed" and len(script.requests) == 2
    twice = Script(rst(CODES.index("REFUSED_STREAM")))
    assert "UNAVAILABLE" in twice.run() and len(twice.requests) == 2


def test_a_stream_that_was_answered_is_not_tried_again():
    def answer(raw, stream, number):
        raw.request(stream, HEAD, end=False)
        raw.send(RstStreamFrame(stream, error_code=CODES.index("REFUSED_STREAM")))
    script = Script(answer)
    assert "UNAVAILABLE" in script.run() and len(script.requests) == 1


def resets(script):
    return [CODES[each.error_code] for each in script.frames if isinstance(each, RstStreamFrame)]


def test_a_deadline_resets_the_stream():
    script = Script(lambda raw, stream, number: None)
    assert script.run("timeout_on_sleeping_server") == "timeout_on_sleeping_server: passed"
    assert resets(script) == ["CANCEL"]


def test_a_cancel_resets_the_stream():
    body = messages.StreamingOutputCallResponse(payload=messages.Payload(body=bytes(31415))).SerializeToString()
    def answer(raw, stream, number):
        raw.request(stream, HEAD, end=False)
        raw.data(stream, message(body)[:16000])
        raw.data(stream, message(body)[16000:])
    script = Script(answer)
    assert script.run("cancel_after_first_response") == "cancel_after_first_response: passed"
    assert resets(script) == ["CANCEL"]
