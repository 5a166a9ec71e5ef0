"""A peer that misbehaves: frames on a socket that is never waited for, and an eye on how the other end cuts it off."""
import collections, contextlib, pathlib, select, socket, ssl, time
import hpack
from http2_raw import CODES, PREFACE, frame, message

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, END_HEADERS, ACK = 1, 4, 1
LARGEST = (1 << 31) - 1


def settings(values={}):
    return frame(SETTINGS, 0, 0, b"".join(k.to_bytes(2, "big") + v.to_bytes(4, "big") for k, v in values.items()))


def window(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, increment.to_bytes(4, "big"))


def reset(stream, code=8):
    return frame(RST_STREAM, 0, stream, code.to_bytes(4, "big"))


def block(fields):
    """A header block that uses no dynamic table: it may be sent any number of times."""
    encoder = hpack.Encoder()
    encoder.header_table_size = 0
    encoder.encode([])  # says the table's size, once
    return encoder.encode(fields)


def grpc_block(path, *more):
    return block([(":method", "POST"), (":scheme", "https"), (":path", path), (":authority", "plane"),
                  ("te", "trailers"), ("content-type", "application/grpc"), *more])


def request(stream, block, *messages, end=True):
    """Whole: headers, and messages if there are any."""
    head = frame(HEADERS, END_HEADERS | (END_STREAM if end and not messages else 0), stream, block)
    body = b"".join(message(each) for each in messages)
    return head + (frame(DATA, END_STREAM if end else 0, stream, body) if messages else b"")


def tls(plain, folder, host, identity=True):
    context = ssl.create_default_context(cafile=pathlib.Path(folder, "ca.pem"))
    if identity:
        context.load_cert_chain(pathlib.Path(folder, "cert.pem"), pathlib.Path(folder, "key.pem"))
    context.set_alpn_protocols(["h2"])
    return context.wrap_socket(plain, server_hostname=host)


class Attacker:
    """One connection. `reads`: takes what comes; otherwise nothing is read before `verdict`. `acks`: acknowledges SETTINGS
    and PING that it reads, as whoever wants to be kept does; not for one that stops within a frame. `source`: its address."""

    def __init__(self, address, folder=None, identity=True, preface=True, values={}, reads=True, receive_bytes=None,
                 acks=True, source=None):
        host, port = address.rsplit(":", 1)
        plain = socket.socket()
        if receive_bytes:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        if source:
            plain.bind((source, 0))
        plain.settimeout(15)
        plain.connect((host, int(port)))
        self.socket = tls(plain, folder, host, identity) if folder else plain
        self.socket.setblocking(False)
        self.reads, self.buffer, self.unsent = reads, bytearray(), b""
        self.acks, self.replies, self.pongs = acks and preface, [], 0
        self.began, self.cut_after = time.monotonic(), None
        self.goaway = self.end = None
        self.frames, self.resets, self.statuses = (collections.Counter() for _ in range(3))
        self.decoder, self.on_data = None, None
        self.windows = collections.defaultdict(lambda: 65_535)  # what we may send, by stream; 0 is the connection
        if preface:
            self.send(PREFACE + settings(values))

    def wait(self, events, seconds=0.05):
        # Not select, which takes no descriptor above 1,023.
        poll = select.poll()
        poll.register(self.socket, events)
        poll.poll(seconds * 1000)

    # Sending

    def send(self, data, seconds=5):
        return self.flood(iter([data] if data else []), seconds)

    def flood(self, pieces, seconds):
        """Sends piece after piece until they, the time or the connection end. True when all went out.

        An empty piece means: wait for what comes."""
        end = time.monotonic() + seconds
        while not self.end and time.monotonic() < end:
            if not self.unsent and self.replies:
                self.unsent, self.replies = b"".join(self.replies), []
            if not self.unsent:
                piece = next(pieces, None)
                if piece is None:
                    return True
                if not piece:
                    self.wait(select.POLLIN)
                    self.read()
                    continue
                self.unsent = piece
            try:
                self.unsent = self.unsent[self.socket.send(self.unsent):]
            except (BlockingIOError, ssl.SSLWantWriteError):
                self.wait(select.POLLOUT | (select.POLLIN if self.reads else 0))
            except ssl.SSLWantReadError:
                self.wait(select.POLLIN)
            except OSError as error:
                self.over(error)
            if self.reads:
                self.read()
        return False

    def paced(self, stream, frames):
        """DATA frames of a stream in batches, no faster than its windows let them."""
        for piece in frames:
            count = len(piece) - 9
            while min(self.windows[0], self.windows[stream]) < count:
                if self.end or self.goaway or self.statuses:
                    return
                yield b""
            self.windows[0] -= count
            self.windows[stream] -= count
            yield piece

    # Reading

    def read(self):
        while not self.end and self.sip(256 << 10):
            pass

    def sip(self, count):
        """Reads so many bytes at most. False: there is nothing now."""
        try:
            data = self.socket.recv(count)
            if not data:
                self.end = "closed"
                self.note_cut()
            self.buffer += data
            self.parse()
            return True
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError as error:
            self.over(error)

    def over(self, error):
        # What was sent before it may still be read.
        with contextlib.suppress(OSError):
            while data := self.socket.recv(256 << 10):
                self.buffer += data
                self.parse()
        reason = getattr(error, "reason", None)
        self.end = f"alert {reason}" if reason and "ALERT" in reason else "closed"
        self.note_cut()

    def note_cut(self):
        if self.cut_after is None:
            self.cut_after = time.monotonic() - self.began

    def parse(self):
        position, buffer = 0, self.buffer
        while len(buffer) - position >= 9:
            length = int.from_bytes(buffer[position:position + 3], "big")
            if len(buffer) - position < 9 + length:
                break
            kind, flags = buffer[position + 3], buffer[position + 4]
            stream = int.from_bytes(buffer[position + 5:position + 9], "big")
            self.take(kind, flags, stream, buffer[position + 9:position + 9 + length])
            position += 9 + length
        del buffer[:position]

    def take(self, kind, flags, stream, body):
        self.frames[kind] += 1
        if self.acks and kind in (SETTINGS, PING) and not flags & ACK:
            self.replies.append(frame(kind, ACK, 0, bytes(body) if kind == PING else b""))
        if kind == PING and flags & ACK:
            self.pongs += 1
        elif kind == GOAWAY:
            self.goaway = f"GOAWAY {CODES[int.from_bytes(body[4:8], 'big')]}"
            self.reason = bytes(body[8:]).decode(errors="replace")
            self.note_cut()
        elif kind == WINDOW_UPDATE:
            self.windows[stream] += int.from_bytes(body, "big")
        elif kind == RST_STREAM:
            self.resets[CODES[int.from_bytes(body, "big")]] += 1
        elif kind == HEADERS and self.decoder:
            fields = dict(self.decoder.decode(bytes(body)))
            if "grpc-status" in fields:
                self.statuses[fields["grpc-status"]] += 1
                self.last_message = fields.get("grpc-message", "")
        elif kind == DATA and self.on_data:
            self.on_data(stream, bytes(body))

    def listen(self, seconds, until=lambda: False):
        """Reads until the other end closes, `until` or the time is over."""
        end = time.monotonic() + seconds
        while not self.end and not until() and (left := end - time.monotonic()) > 0:
            self.wait(select.POLLIN, min(left, 0.05))
            self.attend()
        return bool(until())

    def attend(self):
        """Takes what is there, and answers it: for one of many that are to be kept."""
        self.read()
        if self.replies:
            self.flood(iter([]), 0.2)

    # The end

    def verdict(self, seconds=None):
        """How the other end took it: GOAWAY with its reason, a close, resets, or that it goes on serving.

        One that read nothing may have been left waiting for good; any other is answered, on a busy machine late."""
        seconds = seconds or (30 if self.reads else 5)
        pongs = self.pongs
        if self.unsent and not self.end and not self.goaway:
            self.flood(iter([]), seconds if self.reads else 0.2)  # the rest of the last frames
        if not self.unsent and not self.end and not self.goaway:
            self.send(frame(PING, 0, 0, b"verdict!"), 0.5)
        self.listen(seconds, lambda: self.goaway or not self.unsent and self.pongs > pongs)
        if self.goaway:
            self.listen(2)
            return f"{self.goaway}: {self.reason}" if self.reason else self.goaway
        if self.end:
            return self.end
        if self.pongs == pongs:
            return "silent"
        if self.resets:
            return "RST " + ", ".join(f"{code} ×{count}" for code, count in self.resets.most_common(2))
        return "served on"

    def close(self):
        self.socket.close()
