"""The built `gatehouse`, as a person at a shell runs it."""
import fcntl, os, pathlib, signal, subprocess, termios
from plane import BINARIES, read_line, wait_until

PIPE = subprocess.PIPE
GATEHOUSE = BINARIES / "gatehouse"


def exec_command(plane, workspace, *argv, options=()):
    """The words of a `gatehouse exec` as the plane's admin."""
    return [str(GATEHOUSE), "exec", "--state", str(plane.state), *options, workspace, "--", *argv]


class Running(subprocess.Popen):
    """A program whose outputs are pipes, unless told otherwise. Killed when its test is over, and a shell's parts too."""

    def __init__(self, command, stdin=subprocess.DEVNULL, **options):
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "start_new_session": True} | options
        self.has_group = options["start_new_session"]
        super().__init__(command, stdin=stdin, bufsize=0, **options)

    def __exit__(self, *error):
        try:
            os.killpg(self.pid, signal.SIGKILL) if self.has_group else self.kill()
        except ProcessLookupError:
            pass
        super().__exit__(*error)

    def expect(self, text, stream="stdout"):
        """Reads lines until one holds `text`; gives that one."""
        while text not in (line := read_line(getattr(self, stream), 30)):
            assert line.endswith("\n"), f"{stream} ended before {text!r}; {line!r} was left"
        return line

    def end(self, seconds=20):
        """Waits for its end; gives the exit code and what is left of both outputs."""
        output, complaints = self.communicate(timeout=seconds)
        return self.returncode, output, (complaints or b"").decode()


def start(plane, workspace, *argv, options=(), **more):
    return Running(exec_command(plane, workspace, *argv, options=options), **more)


def run(plane, workspace, *argv, options=(), input=b"", seconds=50):
    """Runs a command to its end; gives the exit code and both outputs."""
    ended = subprocess.run(
        exec_command(plane, workspace, *argv, options=options), input=input, capture_output=True, timeout=seconds)
    return ended.returncode, ended.stdout, ended.stderr.decode()


def shell(text, seconds=50, **variables):
    """Runs a pipeline in bash; gives each part's exit code and both outputs."""
    script = text + '\necho "${PIPESTATUS[*]}" >&3'
    read, write = os.pipe()
    with Running(["bash", "-c", f"exec 3>&{write}; {script}"], env=os.environ | variables, pass_fds=[write]) as bash:
        os.close(write)
        _, output, complaints = bash.end(seconds)
    with os.fdopen(read) as codes:
        return [int(code) for code in codes.read().split()], output, complaints


def is_gone(pid):
    return not pathlib.Path(f"/proc/{pid}").exists()


def waiting_bytes(pipe):
    """How much is in a pipe that nobody reads."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), "little")


def wait_until_ended(client, workspace):
    wait_until(lambda: not client.list(workspace=workspace, running_only=True), "the call still runs in the plane")


def interrupt(process):
    process.send_signal(signal.SIGINT)
