"""Streams opened, reset and left alone."""
import itertools
from attacker import DATA, END_STREAM, LARGEST, frame, grpc_block, message, request, reset, window
from catalog import SERVED, attack

CALM = "GOAWAY ENHANCE_YOUR_CALM"
REFUSED = "RST NO_ERROR"  # after trailers with the reason: the rest of the request is not wanted
INVOKE = grpc_block("/gatehouse.tools.v1.Tools/Invoke")
LIST = grpc_block("/gatehouse.tools.v1.Tools/List")
TOO_MANY = "GOAWAY PROTOCOL_ERROR: request HEADERS: max concurrent streams exceeded"  # of who acknowledged the limit
FAILED = "RST with grpc-status"
# Takes message after message, of any principal.
REFLECTION = grpc_block("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
LIST_SERVICES = b"\x3a\0"
WATCH = grpc_block("/grpc.health.v1.Health/Watch")


def streams(count, first=1):
    return range(first, first + 2 * count, 2)


def batches(pieces, size=100):
    """Many small pieces as few large ones."""
    pieces = iter(pieces)
    while batch := b"".join(itertools.islice(pieces, size)):
        yield batch


def run(target, pieces, seconds=20, **options):
    """The common attack: send it all, see what comes of it."""
    attacker = target.attacker(**options)
    try:
        attacker.flood(batches(pieces), seconds)
        return attacker.verdict(), attacker.cut_after
    finally:
        attacker.close()


@attack(8, "nothing is done", SERVED, counts=(1, 5))
def nothing(target, count):
    """Nothing, for comparison"""
    attacker = target.attacker()
    attacker.listen(count)
    verdict = attacker.verdict()
    attacker.close()
    return verdict, None


@attack(24, "a turn's streams before they are closed", CALM, "closed", counts=(20_000, 200_000), counted=("resets",))
def rapid_reset(target, count):
    """Rapid reset: a request and its reset, at once."""
    return run(target, (request(s, INVOKE, end=False) + reset(s) for s in streams(count)))


@attack(24, "answers of a turn", CALM, "closed", counts=(20_000, 200_000), counted=("resets",))
def rapid_reset_of_work(target, count):
    """Rapid reset of whole requests that are answered."""
    return run(target, (request(s, LIST, b"") + reset(s) for s in streams(count)))


@attack(24, "a turn's streams", CALM, "closed", counts=(20_000, 200_000), counted=("resets",))
def provoked_by_window_overflow(target, count):
    """Resets provoked by WINDOW_UPDATEs that overflow."""
    return run(target, (request(s, INVOKE, end=False) + window(s, LARGEST) for s in streams(count)))


@attack(24, "a turn's streams", CALM, "GOAWAY PROTOCOL_ERROR", "closed", counts=(20_000, 200_000), counted=("protocol_errors",))
def provoked_by_zero_increment(target, count):
    """Resets provoked by WINDOW_UPDATEs of 0."""
    return run(target, (request(s, INVOKE, end=False) + window(s, 0) for s in streams(count)))


@attack(24, "a turn's streams", CALM, "GOAWAY STREAM_CLOSED", "GOAWAY PROTOCOL_ERROR", "closed", counts=(20_000, 200_000),
        counted=("protocol_errors",))
def provoked_by_data_after_end(target, count):
    """Resets provoked by DATA after END_STREAM."""
    return run(target, (request(s, INVOKE) + frame(DATA, 0, s, b"x") for s in streams(count)))


@attack(24, "a turn's streams", CALM, "closed", counts=(20_000, 200_000), counted=("resets",))
def provoked_by_content_length(target, count):
    """Resets provoked by a content-length that the body does not keep."""
    lying = grpc_block("/gatehouse.tools.v1.Tools/List", ("content-length", "10"))
    return run(target, (request(s, lying, end=False) + frame(DATA, END_STREAM, s, b"\0" * 5) for s in streams(count)))


@attack(24, "a turn's streams", CALM, "closed", counts=(20_000, 200_000), counted=("resets",))
def provoked_by_bad_fields(target, count):
    """Resets provoked by requests with fields that HTTP/2 forbids."""
    bad = grpc_block("/gatehouse.tools.v1.Tools/List", ("connection", "close"))
    return run(target, (request(s, bad, end=True) for s in streams(count)))


@attack(48, "1,024 streams that wait for their first message", REFUSED, counts=(10_000, 40_000), counted=("unstarted",))
def idle_streams(target, count):
    """Thousands of streams that say nothing, over four connections."""
    attackers = [target.attacker() for _ in range(4)]
    for each in attackers:
        each.flood(batches(request(s, INVOKE, end=False) for s in streams(count // 4)), 10)
    verdicts = [each.verdict() for each in attackers]
    for each in attackers:
        each.close()
    return verdicts, attackers[0].cut_after


@attack(96, "64 KiB on each of 1,024 streams that wait for their first message", REFUSED, counts=(2_000, 8_000),
        counted=("unstarted", "held_bytes"))
def large_prefixes(target, count):
    """Length prefixes of 1 MiB with 60 KiB behind them, on each stream."""
    part = b"\0" + (1 << 20).to_bytes(4, "big") + b"x" * 16_000
    more = b"x" * 16_000
    return run(target, (
        request(s, INVOKE, end=False) + frame(DATA, 0, s, part) + 2 * frame(DATA, 0, s, more) for s in streams(count)))


@attack(24, "refused by its prefix", REFUSED, counts=(2_000, 20_000))
def huge_prefixes(target, count):
    """Length prefixes of 4 GiB."""
    return run(target, (
        request(s, INVOKE, end=False) + frame(DATA, 0, s, b"\0\xff\xff\xff\xff" + b"x" * 1000) for s in streams(count)))


@attack(24, "answers of a turn", SERVED, "RST", CALM, counts=(5_000, 100_000))
def empty_messages(target, count):
    """Streams of empty messages to a method that takes one."""
    return run(target, (
        request(s, LIST, end=False) + frame(DATA, 0, s, 1000 * message()) for s in streams(count // 100)))
