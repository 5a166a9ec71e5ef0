"""Links that are opened and never done with: `Connect` by `Connect`, and what is said on them before there is a link."""
import itertools, os, time
import hpack
from attacker import DATA, Attacker, frame, message, request
from catalog import SERVED, attack
from on_connections import PATIENCE, attend
from on_links import CONNECT, Daemon, connect_frame, daemon, gathered
from on_streams import CALM, FAILED, streams
from gatehouse.link.v1 import link_pb2 as link

NEWER = FAILED + " 10"  # ABORTED: a newer link has taken this one's place


def folder(target):
    return target.plane.state.parent / ("hostile-" + os.urandom(4).hex())


def hello(stream=1, **more):
    return connect_frame(stream, hello=link.Hello(
        generation=1, instance_id=os.urandom(16), max_calls=1024, version="hostile", **more))


def linked(stream):
    """A whole link: hello, and an inventory of nothing."""
    return request(stream, CONNECT, end=False) + hello(stream) + connect_frame(stream, inventory=link.Inventory(last=True))


def connect_again(target, count, opened):
    """`Connect` after `Connect` on one connection; how all but the last of them ended."""
    attacker = daemon(target)
    attacker.flood((opened(s) for s in streams(count, 3)), 60)
    attacker.listen(60, lambda: attacker.goaway or attacker.statuses.total() >= count)
    verdict = attacker.verdict() if attacker.goaway or attacker.end else SERVED
    found = [f"{FAILED} {status}" for status, times in attacker.statuses.items() for _ in range(times)]
    attacker.close()
    return [verdict, *found], attacker.cut_after


@attack(24, "one link of a workspace; the ends of those before in a turn", FAILED + " 8", NEWER, SERVED, CALM,
        counts=(500, 20_000))
def links_displaced(target, count):
    """A daemon that links anew and anew, each link in the place of the one before"""
    return connect_again(target, count, linked)


@attack(24, "one session of a workspace that is no link yet", NEWER, SERVED, CALM, FAILED + " 8", FAILED + " 4",
        counts=(2_000, 50_000))
def connects_without_hello(target, count):
    """A daemon that opens `Connect` after `Connect` and says nothing on them"""
    return connect_again(target, count, lambda stream: request(stream, CONNECT, end=False))


@attack(60, "a TLS session and an HTTP/2 session each, some 60 KiB", FAILED + " 8", NEWER, SERVED, counts=(50, 1_000))
def links_on_connections(target, count):
    """Links of one daemon, each on a connection of its own and in the place of another"""
    first = daemon(target)
    attackers = []
    for _ in range(count):
        attackers.append(Attacker(target.address, first.folder))
        attackers[-1].decoder = hpack.Decoder()
        attackers[-1].send(linked(1))
        attend([*attackers, first])
    # They went out in one order and are read in another: which one is left is not said.
    attackers.append(first)
    end = time.monotonic() + 60
    while time.monotonic() < end and sum(bool(each.statuses or each.end) for each in attackers) < count:
        for each in attackers:
            each.attend()
        time.sleep(0.01)
    verdicts = [f"{FAILED} {next(iter(each.statuses))}" if each.statuses else each.verdict() for each in attackers]
    for each in attackers:
        each.close()
    return verdicts, None


@attack(16, "a version of 128 characters and 256 capabilities of 128", FAILED + " 8", SERVED, counts=(10, 50))
def large_hellos(target, count):
    """Hellos of 60 KiB, which are taken, and of 1 MiB, which are not"""
    verdicts = []
    for index in range(count):
        attacker = Daemon(target, folder(target), hello=False)
        name, times = ("x" * 200, 300) if index % 2 else ("x" * 1000, 1000)
        said = message(link.ConnectRequest(hello=link.Hello(
            generation=1, instance_id=os.urandom(16), max_calls=1024, capabilities=[name] * times)).SerializeToString())
        attacker.flood(attacker.paced(1, (frame(DATA, 0, 1, said[i:i + 8_000]) for i in range(0, len(said), 8_000))), 10)
        attacker.listen(10, lambda: attacker.said or attacker.statuses)
        verdicts.append(f"{FAILED} {next(iter(attacker.statuses))}" if attacker.statuses else attacker.verdict())
        attacker.close()
    return verdicts, None


def endless(target, page):
    """An inventory of such pages without a last one, until it is ended."""
    attacker = Daemon(target, folder(target))
    pages = gathered(itertools.repeat(message(link.ConnectRequest(inventory=page).SerializeToString())))
    attacker.flood(attacker.paced(1, pages), PATIENCE)
    verdict = attacker.answer()
    attacker.close()
    return verdict, time.monotonic() - attacker.began


@attack(60, "all slow ones together", FAILED + " 4", counts=(1, 1), slow="timers")
def endless_inventory(target, count):
    """An inventory without an end, of pages that name nothing"""
    return endless(target, link.Inventory())


@attack(60, "all slow ones together", FAILED + " 4", counts=(1, 1), slow="timers")
def repeated_inventory(target, count):
    """An inventory without an end that names one call, and again"""
    return endless(target, link.Inventory(calls=[link.KnownCall(call_id="call_" + 26 * "0", digest=b"d" * 32)]))


@attack(60, "all slow ones together", FAILED + " 4", counts=(1, 1), slow="timers")
def silent_connect(target, count):
    """`Connect`, and then nothing but acknowledged PINGs"""
    attacker = Daemon(target, folder(target), hello=False)
    attacker.listen(PATIENCE, lambda: attacker.statuses)
    verdict = attacker.answer()
    attacker.close()
    return verdict, time.monotonic() - attacker.began
