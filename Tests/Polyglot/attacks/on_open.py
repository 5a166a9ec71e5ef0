"""Who holds the open port, where nobody has an identity, and who guesses at it. Strangers come from many addresses of 127/8."""
import contextlib, os, time
import hpack
from attacker import grpc_block, request
from catalog import SERVED, attack
from enroll import enroll
from on_connections import attend
from on_streams import FAILED, WATCH, streams
from gatehouse.link.v1 import enrollment_pb2 as enrollment

ENROLL = grpc_block("/gatehouse.link.v1.Enrollment/Enroll")
PER_ADDRESS = 256  # of `open_connections`, as a plane has them that was told nothing


def address(index):
    return f"127.0.{1 + index // 200}.{1 + index % 200}"


class Newcomers:
    """Workspaces whose daemons enroll while the port is attacked."""

    def __init__(self, target, count):
        self.plane, client = target.plane, target.plane.client()
        self.answers = [client.create("newcomer-" + os.urandom(4).hex()) for _ in range(count)]
        client.close()

    def enroll(self):
        """One of them, from 127.0.0.1, where no attacker is."""
        answer = self.answers.pop()
        began = time.monotonic()
        enroll(answer.enroll_address or self.plane.open, self.plane.state / "pki" / "ca.pem", answer.join_token)
        assert time.monotonic() - began < 10, "a daemon waited for its identity"


def hold(target, count, said, per_address=100):
    """So many connections from many addresses, each with `said` on it, while daemons enroll; and how they end."""
    newcomers, attackers = Newcomers(target, 4), []
    for index in range(count):
        with contextlib.suppress(OSError):  # refused, or the oldest already
            attackers.append(target.attacker(source=address(index // per_address)))
            attackers[-1].send(said, 1)
            attend(attackers)
        if index % (count // 3 + 1) == 0:
            newcomers.enroll()
    newcomers.enroll()
    # Those that were given up have been told; the others are left alone.
    for each in attackers:
        each.listen(0.001)
    gone = [each for each in attackers if each.end or each.goaway]
    verdicts = [each.goaway or each.end for each in gone]
    held = len(attackers) - len(gone)
    for each in attackers:
        each.close()
    return verdicts + ["held"] * held, None


@attack(110, "1,024 TLS and HTTP/2 sessions, some 60 KiB each, and those that go", "held", "GOAWAY NO_ERROR", "closed", on="open",
        counts=(60, 1_400))
def held_open_port(target, count):
    """Connections to the open port that are held and say nothing, from many addresses; daemons enroll beside them"""
    return hold(target, count, b"")


@attack(110, "1,024 TLS and HTTP/2 sessions, some 60 KiB each, and those that go", "held", "GOAWAY NO_ERROR", "closed", on="open",
        counts=(60, 1_400))
def held_watches(target, count):
    """The same with 16 calls on each that watch the plane's health"""
    return hold(target, count, b"".join(request(s, WATCH, b"") for s in streams(16)))


@attack(60, "256 TLS and HTTP/2 sessions, some 60 KiB each", "closed", SERVED, "GOAWAY NO_ERROR", on="open", counts=(300, 600),
        counted=("connections_of_address",))
def held_from_one_address(target, count):
    """More connections to the open port than one address may have"""
    attackers, refused = [], 0
    for _ in range(count):
        try:
            attackers.append(target.attacker(source="127.0.0.2"))
            attend(attackers)
        except OSError:
            refused += 1
    assert refused == count - PER_ADDRESS, f"{refused} of {count} were refused"
    verdicts = [each.verdict() for each in attackers]
    for each in attackers:
        each.close()
    return ["closed"] * refused + verdicts, None


@attack(24, "a few addresses' counts", FAILED, SERVED, on="open", counts=(1_000, 50_000))
def guessed_tokens(target, count):
    """Join tokens guessed from a few addresses, 16 at a time; a daemon with a good one enrolls beside them"""
    newcomers = Newcomers(target, 2)
    newcomers.enroll()
    guess = enrollment.EnrollRequest(token="x" * 43, csr_der=b"x" * 200).SerializeToString()
    verdicts = []
    for index in range(4):
        attacker = target.attacker(source=address(index))
        attacker.decoder = hpack.Decoder()
        end = time.monotonic() + 20
        for first in range(1, count // 2, 32):
            done = attacker.statuses.total() + 16
            attacker.send(b"".join(request(s, ENROLL, guess) for s in streams(16, first)))
            attacker.listen(5, lambda: attacker.goaway or attacker.statuses.total() >= done)
            if attacker.goaway or attacker.end or time.monotonic() > end:
                break
        verdicts += [f"{FAILED} {status}" for status, times in attacker.statuses.items() for _ in range(times)]
        attacker.close()
    newcomers.enroll()
    return verdicts, None
