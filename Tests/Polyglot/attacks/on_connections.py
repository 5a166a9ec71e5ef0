"""Connections that come to nothing: silent, slow, or too many. What ends them are the server's timers, so these run at once,
but for those that are so many that the oldest go first: the others would go with them."""
import contextlib, select, socket, ssl, time
import hpack
from attacker import DATA, END_HEADERS, HEADERS, PREFACE, frame, grpc_block, request, settings
from catalog import SERVED, attack
from on_streams import CALM, FAILED, LIST, LIST_SERVICES, REFLECTION, WATCH

PATIENCE = 45  # seconds; longer than any of the server's timers


def connect(address):
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), 10)


class Watched:
    """Sockets of which the other end may close some."""

    def __init__(self, sockets):
        self.poll, self.open = select.poll(), {each.fileno(): each for each in sockets}
        for number in self.open:
            self.poll.register(number, select.POLLIN)

    def wait(self, seconds):
        """Until one of them is closed, or the time is over."""
        for number, _ in self.poll.poll(seconds * 1000):
            if is_closed(self.open[number]):
                self.poll.unregister(number)
                del self.open[number]


def until_closed(sockets, seconds=PATIENCE):
    """How long the other end keeps the last of them, and how many it closed."""
    began, watched = time.monotonic(), Watched(sockets)
    while watched.open and (left := began + seconds - time.monotonic()) > 0:
        watched.wait(left)
    for each in sockets:
        each.close()
    return ["closed"] * (len(sockets) - len(watched.open)) + ["left open"] * len(watched.open), time.monotonic() - began


def is_closed(each):
    each.setblocking(False)
    try:
        while each.recv(4096):
            pass
        return True
    except BlockingIOError:
        return False
    except OSError:
        return True


def many(address, count):
    sockets = []
    for _ in range(count):
        with contextlib.suppress(OSError):  # refused: as good as closed
            sockets.append(connect(address))
    return until_closed(sockets)


@attack(60, "a TLS session and an HTTP/2 session each, some 60 KiB", "closed", counts=(400, 3_000), slow="crowds",
        counted=("timeout",))
def half_open(target, count):
    """TCP connections that say nothing."""
    return many(target.address, count)


@attack(60, "a TLS session and an HTTP/2 session each, some 60 KiB", "closed", counts=(400, 3_000), slow="crowds",
        counted=("timeout",))
def half_open_strangers(target, count):
    """TCP connections to the open port that say nothing."""
    return many(target.open_address, count)


@attack(60, "as half-open ones", "closed", counts=(50, 500), slow="timers", counted=("timeout",))
def slow_handshakes(target, count):
    """TLS handshakes that go on by a byte every 100 ms."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context(cafile=target.folder / "ca.pem")
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1").do_handshake()
    hello, sockets = outgoing.read(), [connect(target.address) for _ in range(count)]
    began, watched = time.monotonic(), Watched(sockets)
    for byte in hello:
        for each in watched.open.values():
            with contextlib.suppress(OSError):
                each.send(bytes([byte]))
        next_byte = time.monotonic() + 0.1
        while watched.open and (left := next_byte - time.monotonic()) > 0:
            watched.wait(left)
        if not watched.open or time.monotonic() - began > PATIENCE:
            break
    verdicts, _ = until_closed(sockets, 1)
    return verdicts, time.monotonic() - began


def attend(attackers):
    """Now and then, while they become more: one that answers no PING is not held."""
    if len(attackers) % 50 == 0:
        for each in attackers:
            each.attend()


@attack(60, "a TLS session and an HTTP/2 session each, some 60 KiB", CALM, counts=(80, 1_100),
        counted=("connections_of_principal",))
def many_of_one_principal(target, count):
    """More connections of one principal than it may have."""
    began, attackers = time.monotonic(), []
    for _ in range(count):
        attackers.append(target.attacker())
        attend(attackers)
    verdicts = [each.verdict() for each in attackers]
    seconds = time.monotonic() - began
    for each in attackers:
        each.close()
    return [verdict for verdict in verdicts if verdict != SERVED] or "none was refused", seconds


def drip(attacker, pieces, every=0.1):
    """Piece by piece, until the other end has had enough. What it sends is no whole frame, so it acknowledges nothing."""
    end = time.monotonic() + PATIENCE
    for piece in pieces:
        if attacker.end or attacker.goaway or attacker.resets or time.monotonic() > end:
            break
        attacker.send(piece, 1)
        attacker.listen(every)
    seconds = attacker.cut_after or time.monotonic() - attacker.began
    verdict = attacker.verdict()
    attacker.close()
    return verdict, seconds


@attack(60, "all slow ones together", "closed", counts=(1, 1), slow="timers", counted=("timeout",))
def no_preface(target, count):
    """A handshake, and then nothing."""
    return drip(target.attacker(preface=False), iter(lambda: b"", None))


@attack(60, "all slow ones together", "closed", counts=(1, 1), slow="timers", counted=("timeout",))
def slow_preface(target, count):
    """The preface by a byte every second."""
    return drip(target.attacker(preface=False), [bytes([byte]) for byte in PREFACE + settings()], 1)


@attack(60, "all slow ones together", CALM, counts=(1, 1), slow="timers", counted=("headers_timeout",))
def slow_headers(target, count):
    """A header block by a byte every 100 ms, in one frame."""
    head = frame(HEADERS, END_HEADERS, 1, LIST, length=16_000)
    return drip(target.attacker(acks=False), [head] + [b"x"] * 10_000)


@attack(60, "all slow ones together", CALM, counts=(1, 1), slow="timers", counted=("headers_timeout",))
def headers_without_an_end(target, count):
    """A header block that stops before its end."""
    return drip(target.attacker(acks=False), [frame(HEADERS, 0, 1, LIST)] + [b""] * 10_000)


BYTES = [b"\0", b"\0", b"\0", b"\x20", b"\0"] + [b"x"] * 10_000  # a message of 8 KiB


def by_bytes(attacker, opened):
    """A message on stream 1, byte by byte, after `opened`; until it is given up."""
    attacker.decoder = hpack.Decoder()
    began, end = time.monotonic(), time.monotonic() + PATIENCE
    attacker.send(opened)
    for piece in (frame(DATA, 0, 1, byte) for byte in BYTES):
        if attacker.end or attacker.goaway or attacker.statuses or time.monotonic() > end:
            break
        attacker.send(piece, 1)
        attacker.listen(0.1)
    seconds = time.monotonic() - began
    verdict = f"{FAILED} {next(iter(attacker.statuses))}" if attacker.statuses else attacker.verdict()
    attacker.close()
    return "left open" if seconds >= PATIENCE else verdict, seconds


@attack(60, "all slow ones together", FAILED + " 4", counts=(1, 1), slow="timers", counted=("first_message",))
def slow_body(target, count):
    """A first message by a byte every 100 ms."""
    return by_bytes(target.attacker(), request(1, LIST, end=False))


@attack(60, "all slow ones together", FAILED + " 4", counts=(1, 1), slow="timers", counted=("first_message",))
def slow_body_of_strangers(target, count):
    """The same at the open port, to enroll."""
    return by_bytes(target.stranger(), request(1, grpc_block("/gatehouse.link.v1.Enrollment/Enroll"), end=False))


@attack(60, "all slow ones together", FAILED + " 4", counts=(1, 1), slow="timers", counted=("partial_message",))
def slow_second_message(target, count):
    """A second message by a byte every 100 ms."""
    return by_bytes(target.attacker(), request(1, REFLECTION, LIST_SERVICES, end=False))


@attack(60, "all slow ones together", "closed", counts=(1, 1), slow="timers", counted=("ping",))
def unanswered_pings(target, count):
    """A client that reads and acknowledges no PING, and has a call that watches"""
    attacker = target.attacker(acks=False)
    attacker.send(request(1, WATCH, b""))
    attacker.listen(PATIENCE)
    seconds, verdict = time.monotonic() - attacker.began, attacker.end or "left open"
    attacker.close()
    return verdict, seconds


@attack(60, "all slow ones together", "GOAWAY NO_ERROR", counts=(1, 1), slow="timers", counted=("idle",))
def idle_stranger(target, count):
    """A connection to the open port that asks for nothing, and acknowledges PINGs"""
    attacker = target.stranger()
    attacker.listen(2 * PATIENCE, lambda: attacker.goaway)
    verdict = attacker.verdict()
    attacker.close()
    return verdict, attacker.cut_after
