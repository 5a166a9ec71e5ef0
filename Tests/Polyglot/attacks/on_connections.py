"""Connections that come to nothing: silent, slow, or too many. What ends them are the server's timers, so these run at once."""
import contextlib, socket, ssl, time
import hpack
from attacker import DATA, END_HEADERS, HEADERS, PREFACE, frame, request, settings
from catalog import SERVED, attack
from on_streams import CALM, LIST

PATIENCE = 45  # seconds; longer than any of the server's timers


def connect(address):
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), 10)


def until_closed(sockets, seconds=PATIENCE):
    """How long the other end keeps the last of them, and how many it closed."""
    began, open_ones = time.monotonic(), list(sockets)
    while open_ones and time.monotonic() - began < seconds:
        time.sleep(0.1)
        open_ones = [each for each in open_ones if not is_closed(each)]
    for each in sockets:
        each.close()
    return ["closed"] * (len(sockets) - len(open_ones)) + ["left open"] * len(open_ones), time.monotonic() - began


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


@attack(60, "a TLS session and an HTTP/2 session each, some 60 KiB", "closed", counts=(400, 3_000), slow=True)
def half_open(target, count):
    """TCP connections that say nothing."""
    return many(target.address, count)


@attack(60, "a TLS session and an HTTP/2 session each, some 60 KiB", "closed", counts=(400, 3_000), slow=True)
def half_open_strangers(target, count):
    """TCP connections to the open port that say nothing."""
    return many(target.open_address, count)


@attack(60, "as half-open ones", "closed", counts=(50, 500), slow=True)
def slow_handshakes(target, count):
    """TLS handshakes that go on by a byte every 100 ms."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context(cafile=target.folder / "ca.pem")
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1").do_handshake()
    hello, sockets = outgoing.read(), [connect(target.address) for _ in range(count)]
    began = time.monotonic()
    for byte in hello:
        for each in sockets:
            with contextlib.suppress(OSError):
                each.send(bytes([byte]))
        if time.monotonic() - began > PATIENCE or all(map(is_closed, sockets)):
            break
        time.sleep(0.1)
    verdicts, _ = until_closed(sockets, 1)
    return verdicts, time.monotonic() - began


def drip(attacker, pieces, every=0.1):
    """Piece by piece, until the other end has had enough."""
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


@attack(60, "all slow ones together", "closed", CALM, counts=(1, 1), slow=True)
def no_preface(target, count):
    """A handshake, and then nothing."""
    return drip(target.attacker(preface=False), iter(lambda: b"", None))


@attack(60, "all slow ones together", "closed", CALM, counts=(1, 1), slow=True)
def slow_preface(target, count):
    """The preface by a byte every second."""
    return drip(target.attacker(preface=False), [bytes([byte]) for byte in PREFACE + settings()], 1)


@attack(60, "all slow ones together", "closed", CALM, "RST", counts=(1, 1), slow=True)
def slow_headers(target, count):
    """A header block by a byte every 100 ms, in one frame."""
    head = frame(HEADERS, END_HEADERS, 1, LIST, length=16_000)
    return drip(target.attacker(), [head] + [b"x"] * 10_000)


@attack(60, "all slow ones together", "closed", CALM, "RST", counts=(1, 1), slow=True)
def headers_without_an_end(target, count):
    """A header block that stops before its end."""
    return drip(target.attacker(), [frame(HEADERS, 0, 1, LIST)] + [b""] * 10_000)


@attack(60, "all slow ones together", "closed", CALM, "RST", SERVED, counts=(1, 1), slow=True)
def slow_body(target, count):
    """A first message by a byte every 100 ms."""
    attacker = target.attacker()
    attacker.decoder = hpack.Decoder()
    body = [frame(DATA, 0, 1, byte) for byte in [b"\0", b"\0", b"\0", b"\x20", b"\0"] + [b"x"] * 10_000]
    began, end = time.monotonic(), time.monotonic() + PATIENCE
    attacker.send(request(1, LIST, end=False))
    for piece in body:
        if attacker.end or attacker.goaway or attacker.resets or attacker.statuses or time.monotonic() > end:
            break
        attacker.send(piece, 1)
        attacker.listen(0.1)
    seconds = time.monotonic() - began
    verdict = "RST with grpc-status " + next(iter(attacker.statuses)) if attacker.statuses else attacker.verdict()
    attacker.close()
    return "left open" if seconds >= PATIENCE else verdict, seconds
