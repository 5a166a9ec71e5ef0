"""What HTTP/2 asks of a server, case by case, as h2spec has them (its generic, http2 and hpack sections), against
`gatehouse-interop server` in plaintext. Each case is what is sent, and what may come of it: an answer with an HTTP
status, a reset or GOAWAY with one of some codes. Where HTTP/2 asks for a reset, GOAWAY is right too (RFC 9113 §5.4.2)."""
import pytest
from hyperframe.frame import (
    ContinuationFrame, DataFrame, GoAwayFrame, HeadersFrame, PingFrame, PriorityFrame, RstStreamFrame, SettingsFrame,
    WindowUpdateFrame)
from http2_raw import GET, PREFACE, Raw, frame, grpc_fields, message

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, END_HEADERS, PADDED, PRIORITIZED, ACK = 1, 4, 8, 32, 1
ANSWERED = "404"
CALL = "/grpc.testing.TestService/StreamingInputCall"


def goaway(*codes):
    return {"GOAWAY " + code for code in codes} | {"closed"}


def reset(*codes):
    return {"RST " + code for code in codes} | goaway(*codes)


CASES = []


def case(expected, outcome="complaint"):
    """Registers a function that sends something. Then the answer of stream 1, or a complaint, must be as expected."""
    def register(body):
        CASES.append(pytest.param(body, {expected} if isinstance(expected, str) else expected, outcome, id=body.__name__))
        return body
    return register


def answered(body):
    return case(ANSWERED, "answer")(body)


# 3.4: the preface

def test_settings_come_first(server):
    raw = Raw.connect(server.address)
    assert isinstance(raw.next(), SettingsFrame)
    raw.close()


@pytest.mark.parametrize("start", [b"INVALID CONNECTION PREFACE\r\n\r\n", b"GET / HTTP/1.1\r\nHost: test\r\n\r\n",
                                   PREFACE[:-1] + b"X", PREFACE + frame(PING, payload=bytes(8))])
def test_a_bad_preface_is_cut_off(server, start):
    raw = Raw.connect(server.address, preface=False)
    raw.write(start)
    assert raw.complaint() in goaway("PROTOCOL_ERROR")
    raw.close()


def test_a_preface_comes_byte_by_byte(server):
    raw = Raw.connect(server.address, preface=False)
    for byte in PREFACE + frame(SETTINGS):
        raw.write(bytes([byte]))
    raw.request(1)
    assert raw.answer(1) == ANSWERED
    raw.close()


# generic: what must work

@answered
def get(raw):
    raw.request(1)


@case("404", "answer")
def head(raw):
    raw.request(1, [(":method", "HEAD"), *GET[1:]])


@case("415", "answer")
def post_that_is_not_grpc(raw):
    raw.request(1, [(":method", "POST"), *GET[1:], ("content-type", "application/json")], end=False)
    raw.data(1, b"{}", end=True)


@answered
def headers_with_padding(raw):
    raw.send(HeadersFrame(1, raw.block(GET), flags=["END_HEADERS", "END_STREAM", "PADDED"], pad_length=7))


@answered
def headers_with_priority(raw):
    raw.send(HeadersFrame(1, raw.block(GET), flags=["END_HEADERS", "END_STREAM", "PRIORITY"], stream_weight=9))


@answered
def continuation(raw):
    block = raw.block(GET)
    raw.send(HeadersFrame(1, block[:1], flags=["END_STREAM"]), ContinuationFrame(1, block[1:3]),
             ContinuationFrame(1, block[3:], flags=["END_HEADERS"]))


@answered
def data_with_padding(raw):
    raw.request(1, end=False)
    raw.send(DataFrame(1, b"test", flags=["PADDED", "END_STREAM"], pad_length=9))


@answered
def priority_of_an_idle_stream(raw):
    raw.send(PriorityFrame(1, stream_weight=5))
    raw.request(1)


@answered
def goaway_from_a_client(raw):
    raw.request(1)
    raw.send(GoAwayFrame(0, error_code=0))


@answered
def window_update_of_a_half_closed_stream(raw):
    raw.request(1)
    raw.send(WindowUpdateFrame(1, window_increment=100))


@pytest.mark.parametrize("code", [0, 8, 0xff], ids=["no_error", "cancel", "unknown"])
def test_a_reset_of_one_stream_leaves_others(raw, code):
    raw.request(1, end=False)
    raw.send(RstStreamFrame(1, error_code=code))
    raw.request(3)
    assert raw.answer(3) == ANSWERED


def test_ping_is_answered_with_its_bytes(raw):
    raw.send(PingFrame(0, b"gatehous"))
    found = raw.until(PingFrame)
    assert found.opaque_data == b"gatehous" and "ACK" in found.flags


def test_settings_are_acknowledged(raw):
    raw.send(SettingsFrame(0, settings={SettingsFrame.INITIAL_WINDOW_SIZE: 100, 0x99: 1}))
    acknowledged = 0
    while acknowledged < 2:
        acknowledged += "ACK" in raw.until(SettingsFrame).flags


# 4: frames

@answered
def unknown_frame_types(raw):
    raw.write(frame(0xfa, 0xff, 0, b"noise") + frame(0x16, 0, 1, bytes(8)))
    raw.request(1)


@answered
def undefined_flags(raw):
    raw.write(frame(PING, 0x16 & ~ACK, payload=bytes(8)))
    raw.request(1)


@answered
def reserved_bit(raw):
    raw.write(frame(PING, 0, 1 << 31, bytes(8)))
    raw.request(1)


@case("415", "answer")
def data_of_the_largest_size(raw):
    raw.request(1, [(":method", "POST"), *GET[1:]], end=False)
    raw.data(1, bytes(16384), end=True)


@case(reset("FRAME_SIZE_ERROR"))
def data_above_the_largest_size(raw):
    raw.request(1, grpc_fields(CALL), end=False)
    raw.write(frame(DATA, END_STREAM, 1, bytes(16385)))


@case(goaway("FRAME_SIZE_ERROR"))
def headers_above_the_largest_size(raw):
    raw.write(frame(HEADERS, END_STREAM | END_HEADERS, 1, raw.block(GET + [("x", "y" * 20000)])[:16385].ljust(16385, b"\0")))


@case(goaway("COMPRESSION_ERROR"))
def a_broken_header_block(raw):
    raw.write(frame(HEADERS, END_STREAM | END_HEADERS, 1, b"\xff\xff\xff\xff\xff"))


@case(goaway("PROTOCOL_ERROR"))
def priority_within_a_header_block(raw):
    raw.send(HeadersFrame(1, raw.block(GET), flags=["END_STREAM"]), PriorityFrame(1, stream_weight=5))


@case(goaway("PROTOCOL_ERROR"))
def headers_within_anothers_header_block(raw):
    block = raw.block(GET)
    raw.send(HeadersFrame(1, block, flags=["END_STREAM"]), HeadersFrame(3, block, flags=["END_STREAM", "END_HEADERS"]))


@case(goaway("PROTOCOL_ERROR"))
def unknown_frame_within_a_header_block(raw):
    raw.send(HeadersFrame(1, raw.block(GET), flags=["END_STREAM"]))
    raw.write(frame(0x16, 0, 1, bytes(8)))


# 5.1: states of streams

@case(goaway("PROTOCOL_ERROR"))
def idle_data(raw):
    raw.data(1, b"test", end=True)


@case(goaway("PROTOCOL_ERROR"))
def idle_rst_stream(raw):
    raw.send(RstStreamFrame(1, error_code=8))


@case(goaway("PROTOCOL_ERROR"))
def idle_window_update(raw):
    raw.send(WindowUpdateFrame(1, window_increment=100))


@case(goaway("PROTOCOL_ERROR"))
def idle_continuation(raw):
    raw.send(ContinuationFrame(1, raw.block(GET), flags=["END_HEADERS"]))


def half_closed(raw):
    """A call that waits at the server, half-closed by us: its answers come a second apart."""
    request = b"\x12\x06\x08\x01\x10\xc0\x84\x3d" * 3  # response_parameters {size: 1, interval_us: 1000000}
    raw.request(1, grpc_fields("/grpc.testing.TestService/StreamingOutputCall"), end=False)
    raw.data(1, message(request), end=True)


@case(reset("STREAM_CLOSED"))
def half_closed_data(raw):
    half_closed(raw)
    raw.data(1, b"test", end=True)


@case(reset("STREAM_CLOSED"))
def half_closed_headers(raw):
    half_closed(raw)
    raw.request(1)


@case(reset("STREAM_CLOSED", "PROTOCOL_ERROR"))
def half_closed_continuation(raw):
    half_closed(raw)
    raw.send(ContinuationFrame(1, raw.block(GET), flags=["END_HEADERS"]))


@case(reset("STREAM_CLOSED"))
def headers_after_rst_stream(raw):
    raw.request(1, grpc_fields(CALL), end=False)
    raw.send(RstStreamFrame(1, error_code=8))
    raw.request(1)


@case(reset("STREAM_CLOSED", "PROTOCOL_ERROR"))
def continuation_after_rst_stream(raw):
    raw.request(1, grpc_fields(CALL), end=False)
    raw.send(RstStreamFrame(1, error_code=8))
    raw.send(ContinuationFrame(1, raw.block(GET), flags=["END_HEADERS"]))


@case(reset("STREAM_CLOSED"))
def headers_after_the_end(raw):
    raw.request(1)
    assert raw.answer(1) == ANSWERED
    raw.request(1)


@case(reset("STREAM_CLOSED", "PROTOCOL_ERROR"))
def continuation_after_the_end(raw):
    raw.request(1)
    assert raw.answer(1) == ANSWERED
    raw.send(ContinuationFrame(1, raw.block(GET), flags=["END_HEADERS"]))


@case(reset("STREAM_CLOSED"))
def data_after_rst_stream(raw):
    raw.request(1, grpc_fields(CALL), end=False)
    raw.send(RstStreamFrame(1, error_code=8))
    raw.data(1, b"test", end=True)


@case(reset("STREAM_CLOSED"))
def data_after_the_end(raw):
    raw.request(1)
    assert raw.answer(1) == ANSWERED
    raw.data(1, b"test", end=True)


def test_window_update_and_rst_stream_after_the_end_change_nothing(raw):
    raw.request(1)
    assert raw.answer(1) == ANSWERED
    raw.send(WindowUpdateFrame(1, window_increment=1), RstStreamFrame(1, error_code=8))
    raw.request(3)
    assert raw.answer(3) == ANSWERED


@case(goaway("PROTOCOL_ERROR"))
def even_stream(raw):
    raw.request(2)


def test_a_smaller_stream_is_not_served(raw):
    """RFC 9113 §5.1.1 asks for a connection error. nghttp2 (1.52) takes it for a stream it has forgotten, and
    passes over it; so it is with every server on it."""
    raw.request(5)
    assert raw.answer(5) == ANSWERED
    raw.request(3)
    raw.request(7)
    assert all(found.stream_id != 3 for found in answer_of(raw, 7))


def answer_of(raw, stream):
    """All frames up to the end of an answer."""
    for found in raw.frames():
        yield found
        if found.stream_id == stream and "END_STREAM" in found.flags:
            return


def test_streams_above_the_limit_are_refused(raw):
    limit = raw.until(SettingsFrame).settings[SettingsFrame.MAX_CONCURRENT_STREAMS]
    assert limit == 4096
    raw.request(1, grpc_fields(CALL), end=False)
    block = raw.block(grpc_fields(CALL))  # by now all of it is in the table
    raw.write(b"".join(frame(HEADERS, END_HEADERS, 2 * number + 1, block) for number in range(1, limit + 1)))
    assert raw.complaint() in reset("REFUSED_STREAM", "PROTOCOL_ERROR")


@case(reset("PROTOCOL_ERROR"))
def headers_depend_on_themselves(raw):
    raw.send(HeadersFrame(1, raw.block(GET), flags=["END_HEADERS", "END_STREAM", "PRIORITY"], depends_on=1))


@case(reset("PROTOCOL_ERROR"))
def priority_depends_on_itself(raw):
    raw.send(PriorityFrame(3, depends_on=3))


def test_a_broken_connection_is_closed_after_goaway(raw):
    raw.write(frame(PING, payload=b"short"))
    assert raw.complaint() == "GOAWAY FRAME_SIZE_ERROR"
    assert raw.complaint() == "closed"


# 6.1 DATA

@case(goaway("PROTOCOL_ERROR"))
def data_on_stream_0(raw):
    raw.write(frame(DATA, END_STREAM, 0, b"test"))


@case(goaway("PROTOCOL_ERROR"))
def data_with_too_much_padding(raw):
    raw.request(1, grpc_fields(CALL), end=False)
    raw.write(frame(DATA, END_STREAM | PADDED, 1, b"\x06test"))


# 6.2 HEADERS

@case(goaway("PROTOCOL_ERROR"))
def headers_on_stream_0(raw):
    raw.write(frame(HEADERS, END_STREAM | END_HEADERS, 0, raw.block(GET)))


@case(goaway("PROTOCOL_ERROR"))
def headers_with_too_much_padding(raw):
    raw.write(frame(HEADERS, END_STREAM | END_HEADERS | PADDED, 1, b"\xff" + raw.block(GET)))


# 6.3 PRIORITY

@case(goaway("PROTOCOL_ERROR"))
def priority_on_stream_0(raw):
    raw.write(frame(PRIORITY, 0, 0, bytes(5)))


@case(reset("FRAME_SIZE_ERROR"))
def priority_of_four_bytes(raw):
    raw.write(frame(PRIORITY, 0, 1, bytes(4)))


# 6.4 RST_STREAM

@case(goaway("PROTOCOL_ERROR"))
def rst_stream_on_stream_0(raw):
    raw.write(frame(RST_STREAM, 0, 0, bytes(4)))


@case(goaway("FRAME_SIZE_ERROR"))
def rst_stream_of_three_bytes(raw):
    raw.request(1, grpc_fields(CALL), end=False)
    raw.write(frame(RST_STREAM, 0, 1, bytes(3)))


# 6.5 SETTINGS

@case(goaway("FRAME_SIZE_ERROR"))
def settings_ack_with_a_payload(raw):
    raw.write(frame(SETTINGS, ACK, 0, bytes(6)))


@case(goaway("PROTOCOL_ERROR"))
def settings_on_a_stream(raw):
    raw.write(frame(SETTINGS, 0, 1))


@case(goaway("FRAME_SIZE_ERROR"))
def settings_of_three_bytes(raw):
    raw.write(frame(SETTINGS, 0, 0, bytes(3)))


def setting(id, value):
    return frame(SETTINGS, payload=id.to_bytes(2, "big") + value.to_bytes(4, "big"))


@case(goaway("PROTOCOL_ERROR"))
def enable_push_of_2(raw):
    raw.write(setting(2, 2))


@case(goaway("FLOW_CONTROL_ERROR"))
def initial_window_too_large(raw):
    raw.write(setting(4, 1 << 31))


@case(goaway("PROTOCOL_ERROR"))
def max_frame_size_too_small(raw):
    raw.write(setting(5, 16383))


@case(goaway("PROTOCOL_ERROR"))
def max_frame_size_too_large(raw):
    raw.write(setting(5, 1 << 24))


@answered
def unknown_setting(raw):
    raw.write(setting(0xff, 1))
    raw.request(1)


def test_the_last_of_several_values_counts(raw):
    raw.write(frame(SETTINGS, payload=bytes([0, 4, 0, 0, 0, 100, 0, 4, 0, 0, 0, 1])))
    raw.request(1)
    assert len(raw.until(DataFrame).data) == 1


# 6.7 PING

@answered
def ping_ack_that_was_not_asked_for(raw):
    raw.send(PingFrame(0, b"nobody's", flags=["ACK"]))
    raw.request(1)


@case(goaway("PROTOCOL_ERROR"))
def ping_on_a_stream(raw):
    raw.write(frame(PING, 0, 1, bytes(8)))


@case(goaway("FRAME_SIZE_ERROR"))
def ping_of_six_bytes(raw):
    raw.write(frame(PING, payload=bytes(6)))


# 6.8 GOAWAY, 6.9 WINDOW_UPDATE

@case(goaway("PROTOCOL_ERROR"))
def goaway_on_a_stream(raw):
    raw.write(frame(GOAWAY, 0, 1, bytes(8)))


@case(goaway("PROTOCOL_ERROR"))
def window_update_of_0(raw):
    raw.write(frame(WINDOW_UPDATE, payload=bytes(4)))


@case(reset("PROTOCOL_ERROR"))
def window_update_of_0_on_a_stream(raw):
    raw.request(1, grpc_fields(CALL), end=False)
    raw.write(frame(WINDOW_UPDATE, 0, 1, bytes(4)))


@case(goaway("FRAME_SIZE_ERROR"))
def window_update_of_three_bytes(raw):
    raw.write(frame(WINDOW_UPDATE, payload=bytes(3)))


@case(goaway("FLOW_CONTROL_ERROR"))
def connection_window_overflows(raw):
    for _ in range(2):
        raw.send(WindowUpdateFrame(0, window_increment=(1 << 31) - 1))


@case(reset("FLOW_CONTROL_ERROR"))
def stream_window_overflows(raw):
    raw.request(1, grpc_fields(CALL), end=False)
    for _ in range(2):
        raw.send(WindowUpdateFrame(1, window_increment=(1 << 31) - 1))


def test_a_window_of_one_byte_is_kept(server):
    raw = Raw.connect(server.address, settings={SettingsFrame.INITIAL_WINDOW_SIZE: 1})
    raw.request(1)
    assert len(raw.until(DataFrame).data) == 1
    raw.credit(1, 1)
    assert len(raw.until(DataFrame).data) == 1
    raw.close()


def test_a_changed_initial_window_changes_open_streams(server):
    raw = Raw.connect(server.address, settings={SettingsFrame.INITIAL_WINDOW_SIZE: 0})
    raw.request(1)
    raw.until(HeadersFrame)
    raw.write(setting(4, 3))
    assert len(raw.until(DataFrame).data) == 3
    raw.write(setting(4, 2))  # now it is -1
    raw.send(WindowUpdateFrame(1, window_increment=2))
    assert len(raw.until(DataFrame).data) == 1
    raw.close()


# 6.10 CONTINUATION

@case(goaway("PROTOCOL_ERROR"))
def continuation_then_data(raw):
    block = raw.block(GET)
    raw.send(HeadersFrame(1, block[:2]), ContinuationFrame(1, block[2:]))
    raw.data(1, b"test")


@case(goaway("PROTOCOL_ERROR"))
def continuation_on_stream_0(raw):
    block = raw.block(GET)
    raw.send(HeadersFrame(1, block[:2]))
    raw.write(frame(CONTINUATION, END_HEADERS, 0, block[2:]))


@case(goaway("PROTOCOL_ERROR"))
def continuation_of_another_stream(raw):
    block = raw.block(GET)
    raw.send(HeadersFrame(1, block[:2]), ContinuationFrame(3, block[2:], flags=["END_HEADERS"]))


@case(goaway("PROTOCOL_ERROR", "STREAM_CLOSED"))
def continuation_after_end_headers(raw):
    raw.request(1, grpc_fields(CALL), end=False)
    raw.send(ContinuationFrame(1, raw.block(GET), flags=["END_HEADERS"]))


@case(goaway("PROTOCOL_ERROR"))
def continuation_after_data(raw):
    raw.request(1, grpc_fields(CALL), end=False)
    raw.data(1, message())
    raw.send(ContinuationFrame(1, raw.block(GET), flags=["END_HEADERS"]))


# 8: requests

def malformed(name, fields, trailers=None, data=None):
    """A request that must end with a reset."""
    def body(raw):
        raw.request(1, fields, end=trailers is None and data is None)
        for part in data or []:
            raw.data(1, part, end=part is data[-1])
        if trailers is not None:
            raw.request(1, trailers, end=True)
    body.__name__ = name
    case(reset("PROTOCOL_ERROR"))(body)


def without(name):
    return [(key, value) for key, value in GET if key != name]


def with_length(length):
    return grpc_fields(CALL, ("content-length", str(length)))


malformed("uppercase_name", GET + [("X-Test", "ok")])
malformed("unknown_pseudo_field", GET + [(":test", "ok")])
malformed("response_pseudo_field", GET + [(":status", "200")])
malformed("pseudo_field_in_trailers", grpc_fields(CALL), trailers=[(":method", "GET")])
malformed("pseudo_field_after_others", [*GET[:3], ("x-test", "ok"), GET[3]])
for name in "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade":
    malformed("field_" + name.replace("-", "_"), GET + [(name, "keep-alive")])
malformed("te_other_than_trailers", GET + [("te", "trailers, deflate")])
malformed("empty_path", [*without(":path"), (":path", "")])
for name in ":method", ":scheme", ":path":
    malformed("without_" + name[1:], without(name))
    malformed("two_of_" + name[1:], GET + [pair for pair in GET if pair[0] == name])
malformed("content_length_too_large", with_length(10), data=[b"12345"])
malformed("content_length_too_small", with_length(3), data=[b"12345"])
malformed("content_length_of_two_frames_too_large", with_length(10), data=[b"12345", b"1234"])
malformed("content_length_without_a_body", with_length(1))
malformed("content_length_that_is_no_number", with_length("x"))
malformed("two_content_lengths", GET + [("content-length", "0"), ("content-length", "1")])


@case(reset("PROTOCOL_ERROR"))
def a_second_header_block_without_end(raw):
    raw.request(1, grpc_fields(CALL), end=False)
    raw.request(1, [("x-test", "ok")], end=False)


@case(goaway("PROTOCOL_ERROR"))
def push_promise_from_a_client(raw):
    raw.request(1, grpc_fields(CALL), end=False)
    raw.write(frame(PUSH_PROMISE, END_HEADERS, 1, (2).to_bytes(4, "big") + raw.block(GET)))


# HPACK

@pytest.mark.parametrize("extra", [
    b"\x40\x05x-new\x02ok\xbe", b"\x00\x05x-one\x02ok", b"\x10\x05x-two\x02ok", b"\x7a\x02ok", b"\x0f\x2b\x02ok",
    b"\x1f\x2b\x02ok"],
    ids=["indexed_anew", "literal", "never_indexed", "indexed_name", "literal_name", "never_indexed_name"])
def test_each_form_of_a_field_is_read(raw, extra):
    plain = b"\x82\x86\x84\x41\x04test"  # GET, http, /, test
    raw.write(frame(HEADERS, END_HEADERS | END_STREAM, 1, plain + extra))
    assert raw.answer(1) == ANSWERED


def test_huffman_and_table_size_updates_are_read(raw):
    raw.encoder.header_table_size = 0
    raw.encoder.header_table_size = 4096
    raw.request(1, GET + [("x-huffman", "www.example.com")])
    assert raw.answer(1) == ANSWERED


def broken_block(name, block):
    def body(raw):
        raw.write(frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\x82\x86\x84\x41\x04test" + block))
    body.__name__ = name
    case(goaway("COMPRESSION_ERROR"))(body)


broken_block("an_index_outside_of_the_table", b"\xfe")
broken_block("index_0", b"\x80")
broken_block("a_size_update_at_the_end", b"\x20")
broken_block("huffman_padding_of_eight_bits", b"\x00\x01x\x82\x1f\xff")
broken_block("huffman_padding_of_zeros", b"\x00\x01x\x81\x18")
broken_block("huffman_with_eos", b"\x00\x01x\x84\xff\xff\xff\xfc")
broken_block("a_literal_that_is_cut", b"\x00\x05x-te")


@case(goaway("COMPRESSION_ERROR"))
def a_size_update_above_the_limit(raw):
    raw.write(frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\x3f\xe2\x1f\x82\x86\x84\x41\x04test"))


@pytest.mark.parametrize("body, expected, outcome", CASES)
def test_rule(raw, body, expected, outcome):
    body(raw)
    found = raw.answer(1) if outcome == "answer" else raw.complaint()
    assert found in expected


def test_the_server_serves_on_after_all_this(server):
    raw = Raw.connect(server.address)
    raw.request(1, grpc_fields(), end=False)
    raw.data(1, message(), end=True)
    assert raw.answer(1) == "200" and raw.fields["grpc-status"] == "0" and raw.body == message()
    raw.close()
