"""Hostile daemons and clients: HTTP/2 and gRPC as they should be, and then too much or too false."""
import base64, itertools, os, time
import hpack
from attacker import DATA, END_STREAM, LARGEST, Attacker, frame, grpc_block, message, request, window
from catalog import SERVED, attack
from on_streams import CALM, FAILED, INVOKE, REFUSED, batches, streams
from enroll import enroll
from gatehouse.link.v1 import link_pb2 as link
from gatehouse.tools.v1 import call_pb2 as calls, process_pb2, tools_pb2 as tools

CONNECT = grpc_block("/gatehouse.link.v1.Link/Connect")


class Daemon(Attacker):
    """A linked daemon of a workspace of its own, by hand. Hears the plane's messages on `Connect` while it reads."""

    def __init__(self, target, folder, hello=True, **options):
        plane = target.plane
        client = plane.client()
        answer = client.create("hostile-" + os.urandom(4).hex())
        client.close()
        self.workspace, self.said, self.partial = answer.workspace.id, [], b""
        ca, key, chain, address = enroll(answer.enroll_address or plane.open, plane.state / "pki" / "ca.pem", answer.join_token)
        self.folder = folder
        folder.mkdir(exist_ok=True)
        for name, text in {"ca.pem": ca, "key.pem": key, "cert.pem": chain}.items():
            (folder / name).write_text(text)
        super().__init__(plane.listen, folder, values={4: LARGEST}, **options)
        self.decoder, self.on_data = hpack.Decoder(), self.hear
        self.send(window(0, LARGEST - 65_535))
        self.send(request(1, CONNECT, end=False))
        if hello:
            self.say(hello=link.Hello(generation=1, instance_id=os.urandom(16), max_calls=1024, version="hostile"))

    def up(self):
        self.say(inventory=link.Inventory(last=True))
        self.listen(5, lambda: self.said)
        self.epoch = self.said[0].welcome.session_epoch
        return self

    def say(self, **fields):
        said = connect_frame(**fields)
        for each in (0, 1):
            self.windows[each] -= len(said)
        self.send(said)

    def hear(self, stream, data):
        if stream != 1:
            return
        self.partial += data
        while len(self.partial) >= 5 and len(self.partial) >= 5 + (size := int.from_bytes(self.partial[1:5], "big")):
            self.said.append(link.ConnectResponse.FromString(self.partial[5:5 + size]))
            self.partial = self.partial[5 + size:]

    def hears(self, kind, seconds=10):
        found = lambda: next((getattr(each, kind) for each in self.said if each.WhichOneof("message") == kind), None)
        self.listen(seconds, found)
        return found()

    def claim(self, offer, stream, ticket=None, end=False):
        head = grpc_block("/gatehouse.link.v1.Link/Carry", *metadata(offer.call_id, self.epoch, ticket or offer.ticket))
        self.send(request(stream, head, end=end))

    def answer(self, seconds=5):
        """How the plane ended the stream that went wrong."""
        self.listen(seconds, lambda: self.statuses or self.goaway)
        if self.statuses:
            return f"{FAILED} {next(iter(self.statuses))}"
        return self.verdict()


def metadata(call, epoch, ticket):
    encoded = base64.b64encode(ticket).decode().rstrip("=")
    return ("gatehouse-call", call), ("gatehouse-epoch", str(epoch)), ("gatehouse-ticket-bin", encoded)


def connect_frame(stream=1, **fields):
    """A message on `Connect`; in as many frames as it takes."""
    data = message(link.ConnectRequest(**fields).SerializeToString())
    return b"".join(frame(DATA, 0, stream, data[i:i + 16_000]) for i in range(0, len(data), 16_000))


def gathered(messages, stream=1, size=8_000):
    """Messages in DATA frames of about `size` bytes."""
    gathered = b""
    for each in messages:
        gathered += each
        if len(gathered) >= size:
            yield frame(DATA, 0, stream, gathered)
            gathered = b""
    yield frame(DATA, 0, stream, gathered)


def carry_frame(stream, **fields):
    return frame(DATA, 0, stream, message(link.CarryRequest(**fields).SerializeToString()))


def daemon(target, **options):
    return Daemon(target, target.plane.state.parent / ("hostile-" + os.urandom(4).hex()), **options).up()


def start(target, workspace):
    """A call of a user's in that workspace, whose output is never read."""
    user = target.attacker(values={4: 0})
    said = tools.InvokeRequest(start=tools.InvokeStart(
        workspace=workspace, tool="process.exec", request=process_pb2.ExecRequest(argv=[b"x"]).SerializeToString()))
    user.send(request(1, INVOKE, said.SerializeToString(), end=False))
    return user


@attack(24, "what fits our bound of unsent bytes", SERVED, CALM, FAILED, "closed", counts=(20_000, 1_000_000))
def unclaimed_flood(target, count):
    """A daemon that reports calls unclaimed that there are none of, and reads the answers."""
    attacker = daemon(target)
    attacker.flood(attacker.paced(1, gathered(
        message(link.ConnectRequest(unclaimed=link.Unclaimed(call_id=f"call_{i:026}")).SerializeToString())
        for i in range(count))), 60)
    verdict = attacker.answer(2)
    attacker.close()
    return verdict, attacker.cut_after


@attack(24, "what fits our bound of unsent bytes", SERVED, CALM, FAILED, "closed", "silent", counts=(50_000, 1_000_000))
def unclaimed_unread(target, count):
    """The same with no window for the answers."""
    attacker = daemon(target)
    attacker.send(frame(4, 0, 0, b"\0\4\0\0\0\0"))  # INITIAL_WINDOW_SIZE 0: the stream's window goes below 0
    attacker.flood(attacker.paced(1, gathered(
        message(link.ConnectRequest(unclaimed=link.Unclaimed(call_id=f"call_{i:026}")).SerializeToString())
        for i in range(count))), 4)
    verdict = attacker.answer(2)
    attacker.close()
    return verdict, attacker.cut_after


@attack(16, "nothing is kept", SERVED, CALM, FAILED, counts=(50_000, 1_000_000))
def heartbeat_flood(target, count):
    """A daemon that does nothing but heartbeats."""
    attacker = daemon(target)
    attacker.flood(attacker.paced(1, gathered(
        message(link.ConnectRequest(heartbeat=link.Heartbeat(sequence=i)).SerializeToString()) for i in range(count))), 60)
    verdict = attacker.answer(2)
    attacker.close()
    return verdict, attacker.cut_after


@attack(16, "4,096 names", FAILED + " 8", counts=(5_000, 100_000))
def large_inventory(target, count):
    """An inventory of more than 4,096 calls."""
    attacker = Daemon(target, target.plane.state.parent / ("hostile-" + os.urandom(4).hex()))
    names = (f"call_{i:026}" for i in range(count))
    pages = iter(lambda: list(itertools.islice(names, 100)), [])
    attacker.flood(attacker.paced(1, gathered(
        message(link.ConnectRequest(inventory=link.Inventory(
            calls=[link.KnownCall(call_id=each, digest=b"d" * 32) for each in page])).SerializeToString())
        for page in pages)), 30)
    verdict = attacker.answer()
    attacker.close()
    return verdict, None


@attack(24, "answers of a turn", FAILED + " 5", counts=(5_000, 100_000))
def wrong_tickets(target, count):
    """`Carry` without a ticket for it; then the right one is still good."""
    attacker = daemon(target)
    heads = [grpc_block("/gatehouse.link.v1.Link/Carry", *metadata(f"call_{i:026}", attacker.epoch, os.urandom(16)))
             for i in range(50)]
    attacker.decoder = None
    began = time.monotonic()
    attacker.flood(batches(request(s, heads[s // 2 % 50]) for s in streams(count, 3)), 120)
    attacker.listen(30, lambda: attacker.frames[1] >= count)
    seconds = time.monotonic() - began
    assert attacker.frames[1] >= count, f"{attacker.frames[1]} of {count} claims were answered; {attacker.verdict()}"
    attacker.close()
    assert seconds < 10 + count / 1000, f"{count} claims took {seconds:.1f} s"

    attacker = daemon(target)
    user = start(target, attacker.workspace)
    offer = attacker.hears("offer")
    for stream in streams(100, 3):
        attacker.claim(offer, stream, os.urandom(16), end=True)
    attacker.listen(5, lambda: attacker.statuses.total() == 100)
    assert dict(attacker.statuses) == {"5": 100}
    attacker.claim(offer, 1001)
    attacker.send(carry_frame(1001, opened=link.Opened()) + carry_frame(1001, exit=calls.Exit(outcome=1)) + frame(DATA, END_STREAM, 1001))
    attacker.listen(5, lambda: attacker.statuses["0"])
    assert attacker.statuses["0"] == 1, f"the right ticket was not good: {attacker.statuses}"
    for each in (attacker, user):
        each.close()
    return FAILED + " 5", None


@attack(24, "answers of a turn", REFUSED, counts=(500, 10_000), counted=("tickets_refused",))
def bodies_without_tickets(target, count):
    """`Carry` without a ticket for it, and 60 KiB behind each"""
    attacker = daemon(target)
    attacker.decoder = None
    head = grpc_block("/gatehouse.link.v1.Link/Carry", *metadata("call_" + 26 * "0", attacker.epoch, os.urandom(16)))
    body = [b"\0" + (60_000).to_bytes(4, "big") + b"x" * 14_995, *3 * [b"x" * 15_000]]
    attacker.flood((
        request(s, head, end=False) + b"".join(frame(DATA, 0, s, each) for each in body) for s in streams(count, 3)), 60)
    verdict = attacker.verdict()
    attacker.close()
    return verdict, attacker.cut_after


def lie(*said):
    """A daemon that says this on a `Carry` whose ticket was good; and what the plane makes of it."""
    def body(target):
        attacker = daemon(target)
        user = start(target, attacker.workspace)
        attacker.claim(attacker.hears("offer"), 3)
        attacker.send(b"".join([carry_frame(3, opened=link.Opened()), *said]))
        verdict = attacker.answer()
        for each in (attacker, user):
            each.close()
        return verdict
    return body


OUT, TOP = calls.STREAM_STDOUT, (1 << 64) - 1
LIES = {
    "a gap that overflows": carry_frame(3, gap=calls.Gap(stream=OUT, offset=0, length=TOP)),
    "a gap elsewhere": carry_frame(3, gap=calls.Gap(stream=OUT, offset=TOP, length=1)),
    "totals that overflow": carry_frame(
        3, exit=calls.Exit(outcome=1, totals=[calls.StreamTotal(stream=OUT, bytes=TOP)] * 2)),
    "totals below what came": carry_frame(3, chunk=calls.Chunk(stream=OUT, data=b"abc")) + carry_frame(
        3, exit=calls.Exit(outcome=1, totals=[calls.StreamTotal(stream=OUT, bytes=1)])),
    "a chunk elsewhere": carry_frame(3, chunk=calls.Chunk(stream=OUT, offset=TOP, data=b"x")),
    "a chunk of stdin": carry_frame(3, chunk=calls.Chunk(stream=calls.STREAM_STDIN, data=b"x")),
    "stdin taken that never was": carry_frame(3, ack=calls.Ack(offsets=[calls.StreamOffset(stream=1, offset=TOP)])),
    "no outcome": carry_frame(3, exit=calls.Exit()),
    "garbage": frame(DATA, 0, 3, message(b"\xff" * 100)),
}


@attack(16, "nothing is kept", FAILED + " 3", FAILED + " 11", FAILED + " 13", counts=(1, 20))
def false_reports(target, count):
    """Gaps, totals, offsets and exits that cannot be."""
    return [lie(said)(target) for _ in range(count) for said in LIES.values()], None


def output(target, said):
    """Output of a call whose owner does not read, as fast as its window lets it; and what the plane makes of it."""
    attacker = daemon(target)
    user = start(target, attacker.workspace)
    attacker.claim(attacker.hears("offer"), 3)
    attacker.send(carry_frame(3, opened=link.Opened()))
    messages = (message(link.CarryRequest(**each).SerializeToString()) for each in said)
    attacker.flood(attacker.paced(3, gathered(messages, 3)), 4)
    verdict = attacker.answer(2)
    for each in (attacker, user):
        each.close()
    return verdict, attacker.cut_after


@attack(48, "256 KiB of window in chunks of one byte, and what each costs", SERVED, CALM, FAILED, counts=(60_000, 250_000))
def tiny_chunks(target, count):
    """Output for a reader that does not read, one byte at a time."""
    return output(target, ({"chunk": calls.Chunk(stream=OUT, offset=i, data=b"x")} for i in range(count)))


@attack(32, "256 KiB of window in gaps, and what each costs", SERVED, CALM, FAILED, counts=(60_000, 500_000))
def gap_flood(target, count):
    """Gaps of one byte for a reader that does not read."""
    return output(target, ({"gap": calls.Gap(stream=OUT + i % 2, offset=i // 2, length=1)} for i in range(count)))


@attack(64, "2,048 calls that wait, with their requests and answers", REFUSED, SERVED, CALM, "RST REFUSED_STREAM",
        "closed", "silent", counts=(4_000, 10_000))
def invokes_without_reading(target, count):
    """A client that starts 10,000 calls and reads nothing; nor does the daemon claim them."""
    attacker = daemon(target)
    said = tools.InvokeRequest(start=tools.InvokeStart(
        workspace=attacker.workspace, tool="process.exec", request=b"x" * 500)).SerializeToString()
    user = target.attacker(reads=False, receive_bytes=4096)
    user.flood(batches(request(s, INVOKE, said, end=False) for s in streams(count)), 10)
    verdict = user.verdict()
    for each in (attacker, user):
        each.close()
    return verdict, user.cut_after
