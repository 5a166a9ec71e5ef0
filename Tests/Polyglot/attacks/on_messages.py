"""Messages that begin, and are not to end: what comes of one is kept until it is whole."""
import itertools, time
from attacker import DATA, frame, message, request
from catalog import SERVED, attack
from on_streams import FAILED, INVOKE, LIST, LIST_SERVICES, REFLECTION, REFUSED, streams

WHOLE = 1 << 20
PREFIX = b"\0" + WHOLE.to_bytes(4, "big")
PIECE = 16_000


class Filler:
    """Sends on each stream all of a message of 1 MiB but its last byte, as far as the windows let it."""

    def __init__(self, attacker, block, before=b"", per_stream=WHOLE + 4):
        self.attacker, self.block, self.before, self.per_stream, self.left = attacker, block, before, per_stream, {}

    def open(self, stream):
        """Whole messages first, if it has any; then the prefix."""
        first = message(self.before) if self.before else b""
        self.attacker.send(request(stream, self.block, end=False) + frame(DATA, 0, stream, first + PREFIX), 5)
        self.spend(stream, len(first) + len(PREFIX))
        self.left[stream] = self.per_stream - len(PREFIX)

    def spend(self, stream, count):
        self.attacker.windows[0] -= count
        self.attacker.windows[stream] -= count

    def step(self):
        """A round over all streams: whether any could send."""
        sent = []
        for stream, left in self.left.items():
            count = min(PIECE, left, self.attacker.windows[stream], self.attacker.windows[0])
            if count > 0:
                sent.append(frame(DATA, 0, stream, b"x" * count))
                self.spend(stream, count)
                self.left[stream] -= count
        for start in range(0, len(sent), 50):
            self.attacker.send(b"".join(sent[start:start + 50]), 5)
        self.attacker.listen(0.02)
        return bool(sent)


def fill(fillers, seconds):
    """Until nothing more may be sent, or the time is over."""
    end, idle = time.monotonic() + seconds, 0
    while time.monotonic() < end and idle < 10 and not all(each.attacker.end or each.attacker.goaway for each in fillers):
        idle = 0 if any([each.step() for each in fillers]) else idle + 1


def almost(target, connections, per_connection, block, before=b"", seconds=10, per_stream=WHOLE + 4):
    """Verdicts, when all connections have sent what they may."""
    attackers = [target.attacker() for _ in range(connections)]
    fillers = [Filler(each, block, before, per_stream) for each in attackers]
    for filler, stream in itertools.product(fillers, streams(per_connection)):
        filler.open(stream)
    fill(fillers, seconds)
    verdicts = [each.verdict() for each in attackers]
    for each in attackers:
        each.close()
    return verdicts, None


@attack(104, "16 MiB of large messages, and 64 KiB for each of 1,000 other streams", SERVED, REFUSED, counts=(100, 1_000),
        counted=("held_bytes",))
def almost_whole(target, count):
    """All but the last byte of messages of 1 MiB, on each stream"""
    return almost(target, 1, count, INVOKE)


@attack(400, "the same for each connection: nothing bounds those of a principal together", SERVED, REFUSED, counts=(200, 4_000),
        counted=("held_bytes",))
def almost_whole_of_many(target, count):
    """The same on four connections of one principal, the streams of all counted"""
    return almost(target, 4, count // 4, INVOKE, seconds=20)


@attack(300, "64 KiB for each of 4,096 streams", SERVED, REFUSED, counts=(500, 4_000), counted=("held_bytes",))
def almost_whole_later(target, count):
    """60 KiB of a second message of 1 MiB, on each stream"""
    return almost(target, 1, count, REFLECTION, LIST_SERVICES, 20, 60_000)


@attack(150, "64 MiB of a principal's requests and their fields", SERVED, REFUSED, FAILED, counts=(4_090, 4_090),
        counted=("partial_bytes_of_peer",))
def whole_without_end(target, count):
    """Whole requests of 16 KiB to a method that takes one, and the end of none"""
    body = b"x" * 16_370
    attacker, end = target.attacker(), time.monotonic() + 20
    for stream in streams(count):
        while attacker.windows[0] < len(body) + 5 and time.monotonic() < end:
            attacker.listen(0.01)
        attacker.send(request(stream, LIST, body, end=False), 5)
        attacker.windows[0] -= len(body) + 5
    attacker.listen(0.2)
    verdict = attacker.verdict()
    attacker.close()
    return verdict, None
