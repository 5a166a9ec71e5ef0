"""The admin port: plain HTTP/1.1 that anybody may ask who can reach it. A probe comes anew for each request."""
import contextlib, socket, time
from catalog import attack
from on_connections import connect, many, until_closed

ANSWERED = "HTTP/1.1 "


def ask(target, said, seconds=10):
    """What comes of some bytes: the answer's status line, or an end without one."""
    with connect(target.address) as asking:
        asking.settimeout(seconds)
        with contextlib.suppress(OSError):
            for piece in said:
                asking.sendall(piece)
        answer = b""
        with contextlib.suppress(OSError):
            while data := asking.recv(64 << 10):
                answer += data
        return answer.split(b"\r\n")[0].decode(errors="replace") or "closed"


@attack(16, "64 connections", "closed", on="admin", counts=(300, 5_000))
def silent_probes(target, count):
    """Connections to the admin port that say nothing"""
    return many(target.address, count)


@attack(16, "64 connections", "closed", on="admin", counts=(1, 1))
def slow_probe(target, count):
    """A request by a byte every 100 ms"""
    began, asking = time.monotonic(), connect(target.address)
    with contextlib.suppress(OSError):
        for byte in b"GET /metrics HTTP/1.1\r\nHost: plane\r\n" + b"X: y\r\n" * 1000:
            asking.send(bytes([byte]))
            time.sleep(0.1)
    verdicts, _ = until_closed([asking], 1)
    return verdicts, time.monotonic() - began


@attack(16, "a request's bound", ANSWERED + "4", on="admin", counts=(20, 500))
def endless_requests(target, count):
    """Requests with a line, fields or a name without an end, and bytes that are none"""
    beginnings = [b"GET /", b"GET / HTTP/1.1\r\nX: ", b"GET / HTTP/1.1\r\n", b"\0\xff"]
    parts = [b"x" * 4096, b"x" * 4096, b"X: y\r\n" * 700, b"\xfe\n" * 2048]
    return [ask(target, [beginnings[i % 4], *[parts[i % 4]] * 64]) for i in range(count)], None


@attack(24, "answers of 64 connections, some 20 KiB each, and the work for one", "closed", ANSWERED + "200", on="admin",
        counts=(300, 5_000))
def metrics_without_reading(target, count):
    """`/metrics` asked for on connection after connection, and not read"""
    asking = []
    for _ in range(count):
        with contextlib.suppress(OSError):
            each = socket.socket()
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            each.settimeout(10)
            host, port = target.address.rsplit(":", 1)
            each.connect((host, int(port)))
            each.sendall(b"GET /metrics HTTP/1.1\r\nHost: plane\r\n\r\n")
            asking.append(each)
    verdicts, seconds = until_closed(asking)
    return verdicts, seconds
