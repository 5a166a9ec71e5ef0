"""A root folder with the static daemon and nothing else, and a plane outside."""
import pathlib, queue, re, shutil, signal, subprocess, threading, time

TOP = pathlib.Path(__file__).parent.parent.parent
DAEMON = TOP / ".build-static" / "gatehouse-toold"
GATEHOUSE = TOP / ".build" / "debug" / "gatehouse"


class Lines:
    """What a program says, line by line, while it runs. `seen` holds all of it."""

    def __init__(self, stream):
        self.seen, self.queue = [], queue.Queue()
        threading.Thread(target=self.copy, args=(stream,), daemon=True).start()

    def copy(self, stream):
        for line in stream:
            self.queue.put(line.rstrip("\n"))
        self.queue.put(None)

    def wait_for(self, pattern, seconds=30):
        """The match of the next line that has one. Fails with all that was said instead."""
        end = time.monotonic() + seconds
        while True:
            try:
                line = self.queue.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                line = None
            assert line is not None, f"no {pattern!r} in:\n" + "\n".join(self.seen)
            self.seen.append(line)
            if match := re.search(pattern, line):
                return match


class Plane:
    def __init__(self, folder):
        assert GATEHOUSE.exists(), f"no {GATEHOUSE}; run 'make build' first"
        self.state = folder / "plane"
        self.process = subprocess.Popen(
            [GATEHOUSE, "plane", "--state", self.state, "--listen", "127.0.0.1:0",
             "--listen-open", "127.0.0.1:0", "--listen-admin", "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        ready = Lines(self.process.stdout).wait_for(r"^ready listen=(\S+) open=(\S+)")
        self.listen, self.open = ready[1], ready[2]

    def run(self, *words, seconds=60):
        """A client command: exit code, output, what it said."""
        done = subprocess.run(
            [GATEHOUSE, *words[:1], "--state", self.state, *words[1:]] if words[0] == "exec"
            else [GATEHOUSE, *words[:2], "--state", self.state, *words[2:]],
            capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout, done.stderr

    def token(self, name):
        code, output, talk = self.run("workspace", "create", name)
        assert code == 0, talk
        return re.search(r"^token\s+(\S+)", output, re.M)[1]

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0
        self.process.stdout.close()


class Jail:
    """A root folder that holds the daemon, the plane's authority and a token, and no library but of `system`."""

    def __init__(self, plane, folder, name, proc=False, system=None):
        self.plane, self.root, self.name, self.proc = plane, folder / name, name, proc
        if system:
            shutil.copytree(system, self.root, symlinks=True, ignore=shutil.ignore_patterns("dev", "proc", "sys"))
        (self.root / "work").mkdir(parents=True)
        shutil.copy(DAEMON, self.root / "gatehouse-toold")
        shutil.copy(plane.state / "client" / "ca.pem", self.root / "ca.pem")
        self.process = None
        if proc:
            (self.root / "proc").mkdir(exist_ok=True)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def start(self, address=None):
        self.write("token", self.plane.token(self.name))
        command = [
            "/gatehouse-toold", "--state", "/state", "--root", "/work", "--ca", "/ca.pem",
            "--enroll-address", address or self.plane.open, "--token-file", "/token",
            "--plane", self.plane.listen,
        ]
        self.process = subprocess.Popen(
            enter(self.root, self.proc) + command, stderr=subprocess.PIPE, text=True,
            stdin=subprocess.DEVNULL, env={})
        self.log = Lines(self.process.stderr)

    def close(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stderr.close()


def enter(root, proc=False):
    """The command that runs another one with `root` as its root folder, and `/proc` in it or not."""
    mount = f"mount --rbind /proc '{root}/proc' && " if proc else ""
    script = f'{mount}exec chroot "{root}" "$@"'
    return ["/usr/bin/unshare", *namespaces(), "/bin/sh", "-c", script, "sh"]


def namespaces():
    """A mount namespace: in a user namespace, so that no root is needed; else as root."""
    for flags in (["-U", "-r", "-m"], ["-m"]):
        if subprocess.run(["/usr/bin/unshare", *flags, "true"], capture_output=True).returncode == 0:
            return flags
    raise AssertionError(
        "neither a user namespace nor a mount namespace can be made here; "
        "allow one (sysctl kernel.unprivileged_userns_clone=1) or run this as root")
