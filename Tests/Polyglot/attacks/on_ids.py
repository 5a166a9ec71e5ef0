"""Frames on streams where they may not be, of lengths that they may not have, with ids that no client uses."""
import itertools
import hpack
from attacker import (
    CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, LARGEST, PING, PRIORITY, PUSH_PROMISE, RST_STREAM, SETTINGS,
    WINDOW_UPDATE, frame, request, reset, window)
from catalog import SERVED, attack
from on_streams import CALM, INVOKE, LIST, run, streams

PADDED, WITH_PRIORITY = 0x8, 0x20
PROTOCOL, SIZE, CLOSED, FLOW = (
    "GOAWAY PROTOCOL_ERROR", "GOAWAY FRAME_SIZE_ERROR", "GOAWAY STREAM_CLOSED", "GOAWAY FLOW_CONTROL_ERROR")
ZERO, ASKED = bytes(4), request(1, LIST, b"")
OPEN = request(1, INVOKE, end=False)

# What RFC 9113 asks to end the connection with, and what then comes of it. Where libnghttp2 resets the stream, or passes
# over what §5.1 calls an error of the connection, that is what there is.
PLACES = {
    "HEADERS on stream 0": (request(0, LIST, b""), PROTOCOL),
    "DATA on stream 0": (frame(DATA, 0, 0, b"x"), PROTOCOL),
    "PRIORITY on stream 0": (frame(PRIORITY, 0, 0, ZERO + b"\x10"), PROTOCOL),
    "RST_STREAM on stream 0": (reset(0), PROTOCOL),
    "PUSH_PROMISE on stream 0": (frame(PUSH_PROMISE, END_HEADERS, 0, ZERO + LIST), PROTOCOL),
    "CONTINUATION on stream 0": (frame(CONTINUATION, END_HEADERS, 0, LIST), PROTOCOL),
    "SETTINGS on a stream": (frame(SETTINGS, 0, 1), PROTOCOL),
    "PING on a stream": (frame(PING, 0, 1, bytes(8)), PROTOCOL),
    "GOAWAY on a stream": (frame(GOAWAY, 0, 1, bytes(8)), PROTOCOL),
    "DATA on an idle stream": (frame(DATA, 0, 1, b"x"), PROTOCOL),
    "RST_STREAM on an idle stream": (reset(1), PROTOCOL),
    "WINDOW_UPDATE on an idle stream": (window(1, 1), PROTOCOL),
    "CONTINUATION on an idle stream": (frame(CONTINUATION, END_HEADERS, 1, LIST), PROTOCOL),
    "CONTINUATION behind a whole block": (OPEN + frame(CONTINUATION, END_HEADERS, 1, LIST), PROTOCOL),
    "another stream within a block": (frame(HEADERS, 0, 1, LIST) + request(3, LIST, b""), PROTOCOL),
    "PING within a block": (frame(HEADERS, 0, 1, LIST) + frame(PING, 0, 0, bytes(8)), PROTOCOL),
    "an even id": (request(2, LIST, b""), PROTOCOL),
    "a frame of an id that is the server's": (frame(DATA, 0, 2, b"x"), PROTOCOL),
    "HEADERS again on a stream that is over": (ASKED + request(1, LIST, b""), CLOSED),
    "DATA on a stream that was reset": (OPEN + reset(1) + frame(DATA, 0, 1, b"x"), (CLOSED, SERVED)),
    "trailers without an end": (OPEN + frame(HEADERS, END_HEADERS, 1, LIST), ("RST PROTOCOL_ERROR", PROTOCOL)),
    "PRIORITY on itself": (OPEN + frame(PRIORITY, 0, 1, (1).to_bytes(4, "big") + b"\x10"), (PROTOCOL, SERVED)),
    "HEADERS that depend on themselves": (
        frame(HEADERS, END_HEADERS | END_STREAM | WITH_PRIORITY, 1, (1).to_bytes(4, "big") + b"\x10" + LIST),
        (PROTOCOL, SERVED)),
}
LENGTHS = {
    "PRIORITY of 4 bytes": (OPEN + frame(PRIORITY, 0, 1, ZERO), SIZE),
    "RST_STREAM of 3 bytes": (OPEN + frame(RST_STREAM, 0, 1, bytes(3)), SIZE),
    "RST_STREAM of 5 bytes": (OPEN + frame(RST_STREAM, 0, 1, bytes(5)), SIZE),
    "SETTINGS of 5 bytes": (frame(SETTINGS, 0, 0, bytes(5)), SIZE),
    "an acknowledgement of SETTINGS with 6 bytes": (frame(SETTINGS, 1, 0, bytes(6)), SIZE),
    "PING of 7 bytes": (frame(PING, 0, 0, bytes(7)), SIZE),
    "PING of 9 bytes": (frame(PING, 0, 0, bytes(9)), SIZE),
    "GOAWAY of 7 bytes": (frame(GOAWAY, 0, 0, bytes(7)), SIZE),
    "WINDOW_UPDATE of 3 bytes": (frame(WINDOW_UPDATE, 0, 0, bytes(3)), SIZE),
    "WINDOW_UPDATE of 5 bytes": (frame(WINDOW_UPDATE, 0, 0, bytes(5)), SIZE),
    "HEADERS with a priority that is cut": (frame(HEADERS, END_HEADERS | WITH_PRIORITY, 1, ZERO), (SIZE, PROTOCOL)),
    "HEADERS with more padding than there is": (frame(HEADERS, END_HEADERS | PADDED, 1, b"\xff" + LIST), PROTOCOL),
    "DATA with more padding than there is": (OPEN + frame(DATA, PADDED, 1, b"\xff" + b"x" * 10), PROTOCOL),
    "DATA with padding and no bytes": (OPEN + frame(DATA, PADDED, 1), (SIZE, PROTOCOL)),
    "a frame of 16,385 bytes": (OPEN + frame(DATA, 0, 1, b"x" * 16_385), SIZE),
    "a frame of 16 MiB that does not come": (OPEN + frame(DATA, 0, 1, b"x" * 100, length=(1 << 24) - 1), SIZE),
    "an unknown frame of 16 MiB": (frame(0xfa, 0, 0, b"x" * 100, length=(1 << 24) - 1), SIZE),
}
VALUES = {
    "ENABLE_PUSH of 2": (frame(SETTINGS, 0, 0, b"\0\2\0\0\0\2"), PROTOCOL),
    "INITIAL_WINDOW_SIZE of 2^31": (frame(SETTINGS, 0, 0, b"\0\4\x80\0\0\0"), FLOW),
    "MAX_FRAME_SIZE of 100": (frame(SETTINGS, 0, 0, b"\0\5\0\0\0\x64"), PROTOCOL),
    "MAX_FRAME_SIZE of 2^24": (frame(SETTINGS, 0, 0, b"\0\5\1\0\0\0"), PROTOCOL),
    "ENABLE_CONNECT_PROTOCOL of 2": (frame(SETTINGS, 0, 0, b"\0\x08\0\0\0\2"), (PROTOCOL, SERVED)),
    "a setting that nobody knows": (frame(SETTINGS, 0, 0, b"\xfa\xfa\0\0\0\2"), SERVED),
    "a WINDOW_UPDATE of 0 for the connection": (window(0, 0), PROTOCOL),
    "a window of the connection beyond 2^31-1": (window(0, LARGEST), FLOW),
    "a window of open streams beyond 2^31-1, by SETTINGS": (
        OPEN + window(1, LARGEST - 65_535) + frame(SETTINGS, 0, 0, b"\0\4\0\1\0\0"), (FLOW, "RST FLOW_CONTROL_ERROR")),
    "a reference to a table that is empty": (frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\xc0"), "GOAWAY COMPRESSION_ERROR"),
    "HPACK that is cut": (frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\x40\x7f"), "GOAWAY COMPRESSION_ERROR"),
}


def each_alone(target, cases, count):
    """Each on a connection of its own; how those ended, without the texts."""
    found = []
    for name, (said, expected) in count * list(cases.items()):
        verdict = run(target, [said])[0]
        assert verdict.startswith(expected), f"{name} ended with {verdict!r}, not {expected}"
        found.append(verdict.split(":")[0])
    return found, None


@attack(8, "nothing is kept", "GOAWAY", "RST", SERVED, counts=(1, 20), counted=("protocol_errors",))
def wrong_places(target, count):
    """Frames on stream 0, on idle streams and on those that are over, even ids, blocks torn apart: 23 cases"""
    return each_alone(target, PLACES, count)


@attack(8, "nothing is kept", "GOAWAY", "RST", counts=(1, 20), counted=("protocol_errors",))
def wrong_lengths(target, count):
    """Frames of each type that are too short, too long or padded beyond their end: 17 cases"""
    return each_alone(target, LENGTHS, count)


@attack(8, "nothing is kept", "GOAWAY", "RST", SERVED, counts=(1, 20), counted=("protocol_errors",))
def wrong_values(target, count):
    """Settings, windows and HPACK that cannot be: 11 cases"""
    return each_alone(target, VALUES, count)


@attack(8, "nothing is kept", SERVED, CALM, "GOAWAY PROTOCOL_ERROR", counts=(20_000, 500_000))
def falling_ids(target, count):
    """Requests with ids that go down"""
    return run(target, itertools.chain([request(2 * count + 1, LIST, b"")], (
        request(s, LIST, b"") for s in reversed(streams(count)))), 60)


@attack(8, "nothing is kept", CALM, CLOSED, counts=(20_000, 1_000_000))
def used_ids(target, count):
    """Requests on a stream that is over, again and again"""
    return run(target, itertools.repeat(ASKED, count), 60)


@attack(8, "nothing is kept", SERVED, counts=(1, 20))
def last_id(target, count):
    """The last id there is, 2^31-1; it is answered, and none behind it"""
    verdicts = []
    for _ in range(count):
        attacker = target.attacker()
        attacker.decoder = hpack.Decoder()
        attacker.send(request(LARGEST, LIST, b""))
        attacker.listen(10, lambda: attacker.statuses)
        assert dict(attacker.statuses) == {"0": 1}, f"{attacker.statuses}, {attacker.verdict()}"
        attacker.send(b"".join(request(s, LIST, b"") for s in (1, LARGEST - 2)))
        verdicts.append(attacker.verdict())
        assert attacker.statuses.total() == 1, f"{attacker.statuses}"
        attacker.close()
    return verdicts, None
