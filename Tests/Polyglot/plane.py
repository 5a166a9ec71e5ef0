"""The real plane and both kinds of daemon, as programs in a temporary folder."""
import os, pathlib, re, select, signal, socket, subprocess, sys, threading, time
from client import Client, credentials
from gatehouse.plane.v1 import workspaces_pb2

HERE = pathlib.Path(__file__).parent
BINARIES = pathlib.Path(os.environ.get("GATEHOUSE_BINARIES", HERE.parent.parent / ".build" / "debug"))
MARKER = "sk-marker-" + os.urandom(12).hex()


class Plane:
    """A `gatehouse plane` with a marker for a model key in its environment."""

    def __init__(self, state, *options, settings=None, program=None):
        self.program = program or BINARIES / "gatehouse"
        self.state, self.log, self.options = state, state.parent / "plane.log", options
        if settings:
            file = state.parent / "settings.yaml"
            file.write_text(settings)
            self.options = (*options, "--config", file)
        self.start()

    def start(self):
        assert self.program.exists(), f"no {self.program}; run 'make build' first"
        # Where it was, when it starts again: its daemons and clients look for it there.
        listen, open_ = getattr(self, "listen", "127.0.0.1:0"), getattr(self, "open", "127.0.0.1:0")
        command = [self.program, "plane", "--state", self.state, "--listen", listen,
                   "--listen-open", open_, "--listen-admin", "127.0.0.1:0",
                   *self.options]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, env=os.environ | {"OPENAI_API_KEY": MARKER})
        ready = read_line(self.process.stdout, 30)
        assert ready.startswith("ready "), f"the plane said {ready!r}; its log: {self.log.read_text()}"
        self.listen, self.open, self.admin = (
            re.search(rf"\b{name}=(\S+)", ready)[1] for name in ("listen", "open", "admin"))

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(15) == 0, f"the plane ended badly; its log: {self.log.read_text()}"

    def kill(self):
        """SIGKILL, and waits until it is gone: whoever polls for it would else see it alive."""
        self.process.kill()
        self.process.wait(15)

    def client(self):
        return Client(self.listen, credentials(self.state / "client"))


def read_line(stream, seconds):
    """A line from a pipe, or what came of it in that time."""
    line, end = b"", time.monotonic() + seconds
    while not line.endswith(b"\n") and select.select([stream], [], [], max(0, end - time.monotonic()))[0]:
        byte = os.read(stream.fileno(), 1)
        if not byte:
            break
        line += byte
    return line.decode()


class Toold:
    """The daemon of toold.py in a workspace of its own, behind a proxy that can cut its connections."""
    program = HERE / "toold.py"

    def __init__(self, plane, client, folder, name):
        answer = client.create(name)
        self.client, self.id, self.folder = client, answer.workspace.id, folder
        self.token, self.root, self.state = answer.join_token, folder / "root", folder / "state"
        self.root.mkdir(parents=True)
        self.state.mkdir()
        self.proxy = Proxy(plane.listen)
        self.arguments = [answer.enroll_address or plane.open, plane.state / "pki" / "ca.pem", self.token, self.proxy.address]
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def start(self):
        with open(self.folder / "toold.log", "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, self.program, self.root, self.state, *self.arguments], stdout=log, stderr=log)
        wait_until(self.is_linked, f"{self.id} is not linked: " + (self.folder / "toold.log").read_text())

    def is_linked(self):
        assert self.process.poll() is None, (self.folder / "toold.log").read_text()
        return self.client.workspace(self.id).state == workspaces_pb2.WORKSPACE_STATE_LINKED

    def cut(self):
        self.proxy.cut()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        self.kill()
        self.proxy.close()


class Local:
    """A workspace on the plane's machine with the plane's own daemon."""

    def __init__(self, plane, client, folder, name):
        self.root = folder / "root"
        self.root.mkdir(parents=True)
        self.id = client.create(name, self.root).workspace.id
        self.client = client

    def close(self):
        self.client.workspaces.Delete(workspaces_pb2.DeleteWorkspaceRequest(workspace=self.id), timeout=30)


class Proxy:
    """Passes TCP connections on to an address, until it cuts them."""

    def __init__(self, target, at="127.0.0.1"):
        host, port = target.rsplit(":", 1)
        self.target, self.pairs, self.is_open = (host, int(port)), [], True
        self.flowing = threading.Event()
        self.flowing.set()
        self.listener = socket.create_server((at, 0))
        self.address = "%s:%d" % self.listener.getsockname()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while self.is_open:
            try:
                pair = self.listener.accept()[0], socket.create_connection(self.target)
            except OSError:
                continue
            self.pairs.append(pair)
            for source, sink in (pair, pair[::-1]):
                threading.Thread(target=self.copy, args=(source, sink), daemon=True).start()

    def copy(self, source, sink):
        try:
            while data := source.recv(64 << 10):
                self.flowing.wait()
                sink.sendall(data)
        except OSError:
            pass
        self.flowing.wait()
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stall(self):
        """A black hole: connections stay, and nothing more comes out of them, no end either, until `resume`."""
        self.flowing.clear()

    def resume(self):
        self.flowing.set()

    def cut(self):
        pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for end in pair:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset, not an end
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                end.close()

    def close(self):
        self.is_open = False
        self.listener.close()
        self.cut()
        self.resume()


def wait_until(condition, complaint, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, complaint
        time.sleep(0.02)
