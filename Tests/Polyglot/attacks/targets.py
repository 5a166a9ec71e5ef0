"""What is attacked: a process with its memory, its ports and an honest client beside it."""
import contextlib, json, pathlib, re, subprocess, sys, time
from attacker import Attacker
from gatehouse.tools.v1 import tools_pb2

HERE = pathlib.Path(__file__).parent


class Target:
    """`pid`'s memory, and the honest client."""

    def __init__(self, pid, address, path, request=b"", folder=None):
        self.pid, self.address, self.folder = pid, address, folder
        arguments = [address, path, request.hex()] + ([str(folder)] if folder else [])
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

    def close(self):
        self.honest.stdin.close()
        self.honest.wait(15)

    @contextlib.contextmanager
    def measured(self):
        """What an attack costs: the growth of resident memory at its peak (MiB), and the honest client's delays."""
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


class Measured:
    """Memory in MiB, times in seconds."""
    growth = seconds = 0.0
    honest = {}


class PlaneTarget(Target):
    """The mutual port. The honest client and, unless told otherwise, the attacker are users."""

    def __init__(self, plane):
        self.plane, self.open_address = plane, plane.open
        super().__init__(
            plane.process.pid, plane.listen, "/gatehouse.tools.v1.Tools/List",
            tools_pb2.ListRequest(max_calls=1).SerializeToString(), plane.state / "client")

    def stranger(self, **options):
        """Without an identity, at the open port."""
        return Attacker(self.open_address, self.folder, identity=False, **options)


class InteropTarget(Target):
    """`gatehouse-interop` in plaintext: no identity, gzip on."""

    def __init__(self, server):
        super().__init__(server.process.pid, server.address, "/grpc.testing.TestService/EmptyCall")
