"""Below HTTP/2: bytes that are no TLS, TLS that is no HTTP/2, certificates that are too many or too large, key after key."""
import contextlib, ctypes, ctypes.util, datetime, os, re, select, ssl, time
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization as pem
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from attacker import PING, PREFACE, frame, settings
from catalog import SERVED, attack
from on_connections import connect
from on_streams import CALM

ALERT = "alert"
TLS_ALERTS = {10: "unexpected message", 22: "record overflow", 50: "decode error", 70: "protocol version"}


def context(target, identity=True, protocols=("h2",)):
    made = ssl.create_default_context(cafile=target.folder / "ca.pem")
    if identity:
        made.load_cert_chain(target.folder / "cert.pem", target.folder / "key.pem")
    if protocols:
        made.set_alpn_protocols(protocols)
    return made


def first_flight(context):
    """A ClientHello."""
    outgoing = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="127.0.0.1").do_handshake()
    return outgoing.read()


def alert(error):
    """In the words of the standard: Python has a name for most, not for all."""
    found = re.search(r"alert ([a-z ]+) \(", str(error))
    return f"{ALERT}: {found[1]}" if found else str(error)


def answer(asking, seconds=10):
    """How it is ended: by an alert of TLS, a status line of HTTP, or a bare end."""
    asking.settimeout(seconds)
    data = b""
    try:
        while more := asking.recv(64 << 10):
            data += more
    except ssl.SSLError as error:
        return alert(error)
    except TimeoutError:
        return "left open"
    except OSError:
        pass
    if data[:1] == b"\x15" and len(data) >= 7:
        return f"{ALERT}: {TLS_ALERTS.get(data[6], data[6])}"
    return data.split(b"\r\n")[0].decode(errors="replace") if data.startswith(b"HTTP/") else "closed"


def plain(target, said):
    """Bytes that are no TLS, on a port that speaks nothing else."""
    with connect(target.address) as asking:
        with contextlib.suppress(OSError):
            asking.sendall(said)
        return answer(asking)


@attack(8, "nothing is kept", ALERT, "closed", counts=(20, 2_000), counted=("protocol",))
def garbage_for_tls(target, count):
    """Random bytes in place of a ClientHello"""
    return [plain(target, b"\x16\3\1" * (i % 2) + os.urandom(20_000)) for i in range(count)], None  # more than any record has


@attack(8, "nothing is kept", "HTTP/1.1 400", ALERT, "closed", counts=(20, 2_000), counted=("plain_http", "protocol"))
def plain_on_tls(target, count):
    """HTTP/1.1 and HTTP/2 without TLS on the port that asks for it"""
    said = [b"GET / HTTP/1.1\r\nHost: plane\r\n\r\n", PREFACE + settings()]
    return [plain(target, said[i % 2]) for i in range(count)], None


def shaken(target, made, said=b""):
    """How a connection of that context ends, when it says something."""
    try:
        with made.wrap_socket(connect(target.address), server_hostname="127.0.0.1") as asking:
            asking.sendall(said)
            return answer(asking)
    except ssl.SSLError as error:
        return alert(error)
    except OSError:
        return "closed"


@attack(8, "nothing is kept", ALERT, "closed", counts=(10, 1_000), counted=("protocol",))
def other_protocols(target, count):
    """TLS 1.2, HTTP/1.1 by ALPN, and HTTP/1.1 without being asked"""
    contexts = old, _, _ = context(target), context(target, protocols=["http/1.1"]), context(target, protocols=None)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    said = b"GET / HTTP/1.1\r\nHost: plane\r\n\r\n"
    return [shaken(target, contexts[i % 3], said) for i in range(count)], None


@attack(8, "nothing is kept", ALERT, "closed", counts=(10, 500))
def garbage_in_records(target, count):
    """Records after the handshake that no key fits, and records that are larger than any"""
    verdicts = []
    for index in range(count):
        raw = connect(target.address)
        beneath = raw.dup()
        with context(target).wrap_socket(raw, server_hostname="127.0.0.1") as asking:
            asking.sendall(PREFACE + settings())
            size = 2048 if index % 2 else 20_000
            beneath.sendall(b"\x17\3\3" + size.to_bytes(2, "big") + os.urandom(size))
            verdicts.append(answer(asking))
        beneath.close()
    return verdicts, None


@attack(16, "nothing is kept", SERVED, CALM, counts=(5_000, 100_000))
def tiny_records(target, count):
    """PINGs in TLS records of one byte"""
    attacker = target.attacker(acks=False)
    ping = frame(PING, 0, 0, b"12345678")
    attacker.flood((ping[i % 17:i % 17 + 1] for i in range(count - count % 17)), 60)
    verdict = attacker.verdict()
    attacker.close()
    return verdict, attacker.cut_after


@attack(16, "25 handshakes, some 50 KiB each", "hung up", counts=(300, 5_000))
def client_hellos(target, count):
    """ClientHellos on 25 connections at a time; each has us sign, and is then hung up"""
    hello = first_flight(context(target))
    for _ in range(count // 25):
        sockets = [connect(target.address) for _ in range(25)]
        for each in sockets:
            each.sendall(hello)
        for each in sockets:
            each.recv(1)
            each.close()
    return "hung up", None


def certificate(name, issuer, key, issuer_key, padding=0, is_authority=True):
    now = datetime.datetime.now(datetime.timezone.utc)
    subject, by = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in (name, issuer))
    builder = x509.CertificateBuilder(by, subject, key.public_key(), x509.random_serial_number(), now, now + datetime.timedelta(1))
    builder = builder.add_extension(x509.BasicConstraints(is_authority, None), critical=True)
    if padding:
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), bytes(padding))
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def chain(folder, length, padding=0):
    """A file with a key and a chain of so many certificates of nobody that the plane knows."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(length + 1)]
    certificates = [
        certificate(f"c{i}", f"c{i + 1}", keys[i], keys[i + 1], padding, is_authority=i > 0) for i in range(length)]
    file = folder / f"chain-{length}-{padding}.pem"
    secret = keys[0].private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption())
    file.write_bytes(secret + b"".join(each.public_bytes(pem.Encoding.PEM) for each in certificates))
    return file


@attack(16, "what OpenSSL takes of a chain, 100 KiB", ALERT, "closed", counts=(6, 300))
def large_chains(target, count):
    """Client certificates that nobody knows: one, a chain of 80, a chain of 1,000, and one of 1 MiB"""
    shapes, verdicts = [(1, 0), (80, 0), (1_000, 0), (1, 1 << 20)], []
    folder = target.plane.state.parent
    files = [chain(folder, *each) for each in shapes]
    for index in range(count):
        made = context(target, identity=False)
        made.load_cert_chain(files[index % 4])
        verdicts.append(shaken(target, made))
    return verdicts, None


class KeyUpdater:
    """A TLS 1.3 client on the system's libssl, for what Python's ssl does not offer: keys renewed at will."""

    def __init__(self, target):
        library = self.library = ctypes.CDLL(ctypes.util.find_library("ssl"))
        for name in ("TLS_client_method", "SSL_CTX_new", "SSL_new"):
            getattr(library, name).restype = ctypes.c_void_p
        pointer = ctypes.c_void_p
        self.context = pointer(library.SSL_CTX_new(pointer(library.TLS_client_method())))
        for name, kind in (("SSL_CTX_use_certificate_file", "cert.pem"), ("SSL_CTX_use_PrivateKey_file", "key.pem")):
            assert getattr(library, name)(self.context, bytes(target.folder / kind), 1) == 1
        library.SSL_CTX_set_alpn_protos(self.context, b"\2h2", 3)
        self.socket = connect(target.address)
        self.socket.settimeout(None)
        self.session = pointer(library.SSL_new(self.context))
        library.SSL_set_fd(self.session, self.socket.fileno())
        assert library.SSL_connect(self.session) == 1, "no handshake"
        self.write(PREFACE + settings())

    def write(self, data):
        return self.library.SSL_write(self.session, data, len(data)) == len(data)

    def update(self):
        """New keys for us, and the same asked of the other end."""
        return self.library.SSL_key_update(self.session, 1) == 1 and self.library.SSL_do_handshake(self.session) == 1

    def answers(self, seconds):
        """Whether a PING still is."""
        if not self.write(frame(PING, 0, 0, b"verdict!")):
            return False
        end, found, buffer = time.monotonic() + seconds, b"", ctypes.create_string_buffer(16_384)
        while b"verdict!" not in found and (left := end - time.monotonic()) > 0:
            if not self.library.SSL_pending(self.session) and not select.select([self.socket], [], [], left)[0]:
                break
            if (count := self.library.SSL_read(self.session, buffer, len(buffer))) <= 0:
                return False
            found += buffer.raw[:count]
        return b"verdict!" in found

    def close(self):
        self.socket.close()
        self.library.SSL_free(self.session)
        self.library.SSL_CTX_free(self.context)


@attack(16, "one key at a time", SERVED, "closed", counts=(2_000, 50_000))
def key_updates(target, count):
    """TLS keys renewed again and again, and ours asked for"""
    attacker = KeyUpdater(target)
    end = time.monotonic() + 60
    for _ in range(count):
        if not attacker.update() or time.monotonic() > end:
            break
    verdict = SERVED if attacker.answers(10) else "closed"
    attacker.close()
    return verdict, None
