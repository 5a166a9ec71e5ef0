"""What is attacked: a process with its memory, its ports and an honest client beside it."""
import collections, contextlib, json, pathlib, re, subprocess, sys, time, urllib.request
from prometheus_client.parser import text_string_to_metric_families
from attacker import Attacker
from gatehouse.tools.v1 import tools_pb2

HERE = pathlib.Path(__file__).parent


class Target:
    """`pid`'s memory, and the honest client."""
    honest_kind = "kept"

    def __init__(self, pid, address, path, request=b"", folder=None):
        self.pid, self.address, self.folder = pid, address, folder
        arguments = [self.honest_kind, address, path, request.hex()] + ([str(folder)] if folder else [])
        self.honest = subprocess.Popen(
            [sys.executable, HERE / "honest.py", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ask("report")

    def attacker(self, **options):
        return Attacker(self.address, self.folder, **options)

    def ask(self, command):
        self.honest.stdin.write(command + "\n")
        self.honest.stdin.flush()
        if command == "report":
            return json.loads(self.honest.stdout.readline())

    def memory(self, field="VmRSS"):
        return int(re.search(rf"{field}:\s+(\d+)", pathlib.Path(f"/proc/{self.pid}/status").read_text())[1]) / 1024

    def counters(self):
        return collections.Counter()

    def close(self):
        self.honest.stdin.close()
        self.honest.wait(15)

    @contextlib.contextmanager
    def measured(self):
        """What an attack costs: the growth of resident memory at its peak (MiB), and the honest client's delays."""
        before = self.counters()
        # The kernel keeps the peak, and sets it back for us where it may.
        with contextlib.suppress(OSError):
            pathlib.Path(f"/proc/{self.pid}/clear_refs").write_text("5")
        measured, base = Measured(), self.memory("VmHWM")
        self.ask("start")
        began = time.monotonic()
        yield measured
        measured.seconds = time.monotonic() - began
        measured.honest = self.ask("report")
        measured.growth = self.memory("VmHWM") - base
        measured.counted = self.counters() - before


class Measured:
    """Memory in MiB, times in seconds; `counted`: how much of which limit and refusal the plane has counted."""
    growth = seconds = 0.0
    honest, counted = {}, collections.Counter()


class PlaneTarget(Target):
    """The mutual port. The honest client and, unless told otherwise, the attacker are users."""
    COUNTERS = {"gatehouse_limits_reached": "limit", "gatehouse_handshake_failures": "reason",
                "gatehouse_refusals": "reason", "gatehouse_protocol_errors": None, "gatehouse_tickets_refused": None}

    def __init__(self, plane):
        self.plane, self.open_address = plane, plane.open
        super().__init__(
            plane.process.pid, plane.listen, "/gatehouse.tools.v1.Tools/List",
            tools_pb2.ListRequest(max_calls=1).SerializeToString(), plane.state / "client")

    def stranger(self, **options):
        """Without an identity, at the open port."""
        return Attacker(self.open_address, self.plane.state / "client", identity=False, **options)

    def metrics(self):
        with urllib.request.urlopen(f"http://{self.plane.admin}/metrics", timeout=30) as answer:
            return text_string_to_metric_families(answer.read().decode())

    def counters(self):
        """By label, or by name: `work`, `handshakes`, `protocol_errors`, …"""
        counted = collections.Counter()
        for family in self.metrics():
            if family.name in self.COUNTERS:
                label = self.COUNTERS[family.name]
                for sample in family.samples:
                    counted[sample.labels[label] if label else family.name.removeprefix("gatehouse_")] += int(sample.value)
        return counted


class OpenTarget(PlaneTarget):
    """The open port. Nobody has an identity; the honest client, as one that enrolls, comes anew for each call."""
    honest_kind = "anew"

    def __init__(self, plane):
        self.plane, self.open_address = plane, plane.open
        Target.__init__(self, plane.process.pid, plane.open, "/grpc.health.v1.Health/Check", folder=plane.state / "client")

    def attacker(self, **options):
        return self.stranger(**options)


class AdminTarget(PlaneTarget):
    """The admin port: plain HTTP/1.1, for probes."""
    honest_kind = "http"

    def __init__(self, plane):
        self.plane = plane
        Target.__init__(self, plane.process.pid, plane.admin, "/healthz")


class InteropTarget(Target):
    """`gatehouse-interop` in plaintext: no identity, gzip on."""

    def __init__(self, server):
        super().__init__(server.process.pid, server.address, "/grpc.testing.TestService/EmptyCall")
