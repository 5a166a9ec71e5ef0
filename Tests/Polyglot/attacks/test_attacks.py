"""Peers that misbehave cost bounded memory, are cut off or do no harm, and an honest client beside them is served.

`make test` runs each attack with a small count, `make soak` (SOAK=1) with a large one. With ATTACKS_TABLE=FILE the
measurements are written there, as the table of Tests/README.md."""
import collections, concurrent.futures, faulthandler, os, pathlib, platform, resource
import pytest
# They register, in this order. What leaves calls behind comes late: others ask for the list of all there are.
import on_streams, on_frames, on_ids, on_headers, on_messages, on_windows, on_readers, on_connections, on_tls, on_links
import on_connects, on_open, on_admin
from catalog import ATTACKS
from interop_program import InteropServer
from plane import Plane
from targets import AdminTarget, InteropTarget, OpenTarget, PlaneTarget

SOAK = bool(os.environ.get("SOAK"))
# Both ends of some thousand connections; a shell's limit is often 1,024.
resource.setrlimit(resource.RLIMIT_NOFILE, 2 * (resource.getrlimit(resource.RLIMIT_NOFILE)[1],))
# Seconds, on a machine that does nothing else, as `make soak` has it. Its usual time is a few milliseconds. In
# `make test` it has to be served at all: its own time limit is 10 s.
WORST_DELAY = 2 if SOAK else 10
ROWS = []
# The timers of `make test`; `make soak` has those of a plane that was told nothing.
TIMERS = "{handshake_timeout: 3s, headers_timeout: 2s, first_message_timeout: 2s}"
QUICK = f"""
connections: {TIMERS[:-1]}, ping_interval: 5s, ping_timeout: 2s, max_connections_per_principal: 64}}
open_connections: {TIMERS[:-1]}, ping_interval: 3s, ping_timeout: 1s, idle_timeout: 2s}}
"""


class Targets(dict):
    """Made as they are attacked."""
    KINDS = {"plane": PlaneTarget, "open": OpenTarget, "admin": AdminTarget}

    def __init__(self, folder):
        self.folder, self.programs = folder, {}

    def __missing__(self, kind):
        if kind == "interop":
            target = InteropTarget(self.program("interop", InteropServer))
        else:
            settings = None if SOAK else QUICK
            target = self.KINDS[kind](self.program("plane", lambda: Plane(self.folder / "state", settings=settings)))
        self[kind] = target
        return target

    def program(self, name, make):
        if name not in self.programs:
            self.programs[name] = make()
        return self.programs[name]

    def close(self):
        for target in self.values():
            target.close()
        for program in self.programs.values():
            program.stop()


@pytest.fixture(scope="function" if SOAK else "module")
def targets(tmp_path_factory):
    """In `make soak` new ones for each attack: what one left in the heap would hide what the next takes."""
    targets = Targets(tmp_path_factory.mktemp("attacked"))
    yield targets
    targets.close()


@pytest.fixture(scope="module", autouse=True)
def written():
    yield
    if path := os.environ.get("ATTACKS_TABLE"):
        pathlib.Path(path).write_text(table())


@pytest.fixture(autouse=True)
def patient():
    """These take longer than others, above all in `make soak`."""
    faulthandler.cancel_dump_traceback_later()
    faulthandler.dump_traceback_later(600 if SOAK else 120, exit=True)
    yield


def counted(verdicts):
    if isinstance(verdicts, str):
        return verdicts
    counts = collections.Counter(verdicts)
    return "; ".join(f"{verdict} ×{count}" if count > 1 else verdict for verdict, count in counts.most_common(3))


def judge(attack, verdicts, seconds, measured):
    honest = measured.honest
    for verdict in [verdicts] if isinstance(verdicts, str) else verdicts:
        assert verdict.startswith(attack.ends), f"it ended with {verdict!r}, not {attack.ends}"
    for name in attack.counted:
        assert measured.counted[name] > 0, f"the plane has not counted {name}, but {dict(measured.counted)}"
    assert measured.growth < attack.memory, (
        f"the server grew by {measured.growth:.0f} MiB; {attack.memory} were to do for {attack.why}")
    assert honest["failures"] == [], "the honest client was not served"
    assert honest["calls"] > 0
    assert honest["worst"] < WORST_DELAY, f"the honest client waited for {honest['worst']:.1f} s"


@pytest.mark.parametrize("attack", [each for each in ATTACKS if not each.slow], ids=lambda each: each.name)
def test_attack(targets, attack):
    target = targets[attack.on]
    with target.measured() as measured:
        verdicts, seconds = attack.body(target, attack.counts[SOAK])
    found = attack, verdicts, seconds, measured
    ROWS.append(found)
    judge(*found)


@pytest.mark.parametrize("group", sorted({each.slow for each in ATTACKS if each.slow}))
def test_slow_attacks(targets, group):
    """All of a group at once, since each waits for the server's timers. Memory and delays are those of all."""
    slow = [each for each in ATTACKS if each.slow == group]
    on = {each.on: targets[each.on] for each in slow}
    with targets["plane"].measured() as measured, concurrent.futures.ThreadPoolExecutor(len(slow)) as pool:
        running = [(each, pool.submit(each.body, on[each.on], each.counts[SOAK])) for each in slow]
        results = [(each, *future.result()) for each, future in running]
    found = [(*each, measured) for each in results]
    ROWS.extend(found)
    for each in found:
        judge(*each)


HEAD = ["attack", "times", "memory, MiB (bound)", "how it ended", "after, s", "counted as", "honest client's p50 / p99 / worst, ms"]


def table():
    lines = [HEAD, ["---"] * len(HEAD)]
    for attack, verdicts, seconds, measured in ROWS:
        after = "–" if seconds is None else f"{seconds:.2f}"
        reasons = ", ".join(
            f"{name} {count:,}" for name, count in measured.counted.most_common()
            if name in attack.counted or not attack.slow and not attack.counted) or "–"
        delays = " / ".join(f"{measured.honest[each] * 1000:.0f}" for each in ("p50", "p99", "worst"))
        lines.append([attack.title, f"{attack.counts[SOAK]:,}", f"{measured.growth:.0f} ({attack.memory})", counted(verdicts),
                      after, reasons, delays])
    text = "".join("| " + " | ".join(cells) + " |\n" for cells in lines).replace("| --- ", "|---").replace("---|---", "---|---")
    return f"{platform.machine()}, {os.cpu_count()} cores\n\n{text}"
