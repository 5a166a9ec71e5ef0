"""Readers that never stop, and never get on: each a KiB a second, of as many answers as they may ask for."""
import collections, contextlib, os, time
import hpack
from attacker import LARGEST, grpc_block, request, window
from catalog import SERVED, attack
from on_streams import REFUSED, streams
from on_windows import UNARY, large
from plane import Local, wait_until
from gatehouse.tools.v1 import tools_pb2 as tools

RATE = 1024  # bytes a second
MORE = 200  # answers asked for in each second
FOLLOW = grpc_block("/gatehouse.tools.v1.Tools/Follow")


class SlowReader:
    """Takes all that comes at once, as libraries do, but lets each stream send a KiB more in each second."""

    def __init__(self, target):
        self.attacker, self.received = target.attacker(values={4: RATE}), collections.Counter()
        self.attacker.decoder, self.attacker.on_data = hpack.Decoder(), self.take
        self.attacker.send(window(0, LARGEST - 65_535))

    def take(self, stream, data):
        self.received[stream] += len(data)

    def run(self, seconds, requests):
        for _ in range(seconds):
            self.attacker.send(b"".join(each for each, _ in zip(requests, range(MORE))), 1)
            self.attacker.send(b"".join(window(s, RATE) for s in list(self.received)), 1)
            self.attacker.listen(1)


def read_slowly(target, block, body, seconds):
    """What became of the connection; the first answer has to have come on, and no stream may be cut off but those refused."""
    reader = SlowReader(target)
    attacker = reader.attacker
    reader.run(seconds, (request(s, block, body) for s in streams(MORE * seconds)))
    refused = attacker.statuses["8"]
    assert not attacker.statuses.total() - refused, f"answers ended with {attacker.statuses}"
    verdict, came = attacker.verdict(), reader.received[1]
    attacker.close()
    assert came >= (seconds - 1) * RATE, f"{came} bytes of the first answer came in {seconds} s; {verdict}"
    return verdict, None


@attack(72, "answers that wait: from 32 MiB on calls are refused", SERVED, on="interop", counts=(4, 40))
def slow_readers(target, count):
    """Answers of 1 MiB read by 1 KiB a second each, 200 more asked for in each of so many seconds"""
    return read_slowly(target, UNARY, large(1 << 20), count)


@contextlib.contextmanager
def kept_output(target, size):
    """The id of a call whose output of so many bytes is on the plane's disk."""
    client, name = target.plane.client(), "kept-" + os.urandom(4).hex()
    workspace = Local(target.plane, client, target.plane.state.parent / name, name)
    try:
        call = client.exec(workspace.id, "head", "-c", str(size), "/dev/zero", detach=True, log=tools.LOG_RULE_KEEP)
        call.stream.cancel()
        wait_until(lambda: not client.list(workspace=workspace.id, running_only=True), "the call does not end")
        yield call.call_id
    finally:
        workspace.close()
        client.close()


@attack(112, "256 KiB that wait for each of 200 followers, and what is read for them; then calls are refused", SERVED, REFUSED,
        counts=(4, 40), counted=("queued_bytes",))
def slow_followers(target, count):
    """Output of 8 MiB on the plane's disk followed by 1 KiB a second, 200 more streams in each of so many seconds"""
    with kept_output(target, 8 << 20) as call:
        return read_slowly(target, FOLLOW, tools.FollowRequest(call_id=call).SerializeToString(), count)


@attack(72, "answers that wait: from 32 MiB on calls are refused", SERVED, "silent", on="interop", counts=(4, 40))
def slow_sockets(target, count):
    """Answers of 1 MiB with windows of 2^31-1, of which 1 KiB a second is taken from the socket, and 20 more asked for"""
    attacker = target.attacker(values={4: LARGEST}, reads=False, receive_bytes=4096)
    attacker.send(window(0, LARGEST - 65_535))
    requests = (request(s, UNARY, large(1 << 20)) for s in streams(20 * count))
    for _ in range(count):
        attacker.send(b"".join(each for each, _ in zip(requests, range(20))), 1)
        attacker.sip(RATE)
        time.sleep(1)
    verdict = attacker.verdict()
    attacker.close()
    return verdict, attacker.cut_after
