"""`gatehouse-interop`, as programs."""
import subprocess
from plane import BINARIES, read_line

PROGRAM = BINARIES / "gatehouse-interop"


class InteropServer:
    """`gatehouse-interop server`, on a port of its own."""

    def __init__(self, *flags):
        self.process = subprocess.Popen(
            [PROGRAM, "server", "--listen", "127.0.0.1:0", *flags], stdout=subprocess.PIPE)
        ready = read_line(self.process.stdout, 20)
        assert ready.startswith("ready "), f"the server said {ready!r}"
        self.address = ready.split()[1]

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        assert self.process.wait(15) == 0
