"""Peers that let nothing through, or little, or all and then stop reading."""
import gzip, itertools
from attacker import DATA, LARGEST, frame, grpc_block, request, window
from catalog import SERVED, attack
from on_streams import CALM, LIST, REFUSED, run, streams
from interop import messages_pb2 as interop

UNARY = grpc_block("/grpc.testing.TestService/UnaryCall")
STREAM = grpc_block("/grpc.testing.TestService/StreamingOutputCall")
INPUT = grpc_block("/grpc.testing.TestService/StreamingInputCall", ("grpc-encoding", "gzip"))


def large(size):
    return interop.SimpleRequest(response_size=size).SerializeToString()


@attack(64, "answers that wait: from 32 MiB on calls are refused", SERVED, on="interop", counts=(500, 4_000))
def zero_windows(target, count):
    """Answers of 1 MiB asked for with windows of 0."""
    return run(target, (request(s, UNARY, large(1 << 20)) for s in streams(count)), values={4: 0})


@attack(24, "an answer of 64 KiB on each stream", CALM, on="interop", counts=(60_000, 600_000))
def one_byte_windows(target, count):
    """Windows of one byte, opened one byte at a time."""
    opened = [request(s, UNARY, large(1 << 16)) for s in streams(100)]
    return run(target, itertools.chain(opened, (window(2 * (i % 100) + 1, 1) for i in range(count))), values={4: 1})


@attack(40, "the socket's buffer, 256 KiB of ciphertext, 16,384 frames", CALM, "closed", "silent", counts=(30_000, 1_000_000))
def noise_without_reading(target, count):
    """Windows of 2^31-1, a large answer asked for, nothing read, and 9-byte frames all the time."""
    requests = (request(s, LIST, b"") for s in streams(2000))
    noise = itertools.repeat(frame(0xfa, 0, 0), count)
    return run(target, itertools.chain([window(0, LARGEST - 65_535)], requests, noise), 10,
               values={4: LARGEST}, reads=False, receive_bytes=4096)


@attack(112, "answers that wait: from 32 MiB on calls are refused, but for some 64 that run by then", SERVED, "silent", REFUSED,
        on="interop", counts=(500, 4_000))
def requests_without_reading(target, count):
    """Windows of 2^31-1, answers of 1 MiB asked for, nothing read."""
    requests = (request(s, UNARY, large(1 << 20)) for s in streams(count))
    return run(target, itertools.chain([window(0, LARGEST - 65_535)], requests), 10,
               values={4: LARGEST}, reads=False, receive_bytes=4096)


@attack(40, "the limit of 4 MiB counts what comes out, for a few streams at a time", SERVED, "RST", CALM, on="interop",
        counts=(50, 400))
def compressed_bombs(target, count):
    """Messages of 64 KiB that inflate to 64 MiB."""
    bomb = gzip.compress(b"\0" * (64 << 20))
    body = b"\1" + len(bomb).to_bytes(4, "big") + bomb
    return run(target, (
        request(s, INPUT, end=False) + b"".join(
            frame(DATA, 0, s, body[i:i + 16_000]) for i in range(0, len(body), 16_000))
        for s in streams(count)))


@attack(160, "a read of 128 KiB, a thousand times its size", SERVED, "RST", CALM, on="interop", counts=(20, 100))
def many_small_bombs(target, count):
    """Messages of 4 KiB that inflate to just below the limit."""
    bomb = gzip.compress(interop.StreamingInputCallRequest(
        payload=interop.Payload(body=b"\0" * ((4 << 20) - 100))).SerializeToString())
    body = b"\1" + len(bomb).to_bytes(4, "big") + bomb
    return run(target, (
        request(s, INPUT, end=False) + b"".join(frame(DATA, 0, s, body) for _ in range(8)) for s in streams(count)))
