"""The time of day is set while a command runs, by a library that is loaded before libc into plane, daemon and client: it
adds seconds from a file to CLOCK_REALTIME, and leaves the clocks that nobody sets alone, as the system does."""
import os, struct, subprocess
import pytest
import cli
from gatehouse.plane.v1 import workspaces_pb2
from plane import Plane, wait_until
from test_faults import Remote

SHIM = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile long *offset;

__attribute__((constructor)) static void begin(void) {
  char *path = getenv("CLOCK_OFFSET_FILE");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  void *memory = file < 0 ? MAP_FAILED : mmap(0, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
  if (memory != MAP_FAILED) offset = memory;
  if (file >= 0) close(file);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int code = (int)syscall(SYS_clock_gettime, clock, now);
  if (code == 0 && offset && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += *offset;
  return code;
}

time_t time(time_t *result) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (result) *result = now.tv_sec;
  return now.tv_sec;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec exact;
  clock_gettime(CLOCK_REALTIME, &exact);
  *now = (struct timeval){exact.tv_sec, exact.tv_nsec / 1000};
  return 0;
}
"""

BLOCKS = """
for block in 1 2 3; do
  i=0; while [ $i -lt 500 ]; do echo "$block $i"; i=$((i+1)); done
  echo "block $block"
  while [ ! -e go$block ]; do sleep 0.05; done
done
exit 7
"""


@pytest.fixture
def set_clock(tmp_path, monkeypatch):
    """Sets the clock of all that is started from here, in seconds from the true time."""
    (tmp_path / "shim.c").write_text(SHIM)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "shim.so", tmp_path / "shim.c"], check=True)
    offset = tmp_path / "offset"
    offset.write_bytes(struct.pack("=q", 0))
    monkeypatch.setenv("LD_PRELOAD", str(tmp_path / "shim.so"))
    monkeypatch.setenv("CLOCK_OFFSET_FILE", str(offset))

    def set_clock(seconds):
        with open(offset, "r+b") as file:
            file.write(struct.pack("=q", seconds))

    yield set_clock


@pytest.fixture
def site(set_clock, tmp_path):
    plane = Plane(tmp_path / "state")
    client = plane.client()
    workspace = Remote(plane, client, tmp_path / "one", "one")
    is_linked = lambda: client.workspace(workspace.id).state == workspaces_pb2.WORKSPACE_STATE_LINKED
    wait_until(is_linked, "the daemon is not linked")
    client.close()
    yield plane, workspace
    workspace.close()
    plane.stop()


# Certificates are valid from five minutes before they were made: a clock that was set further back shuts those out who
# enrolled in the time between, until it has caught up.
@pytest.mark.parametrize("jump", [1800, -240])
def test_a_command_does_not_notice_that_the_clock_is_set(site, set_clock, jump):
    plane, workspace = site
    with cli.start(plane, workspace.id, "sh", "-c", BLOCKS, options=("--timeout", "120s")) as running:
        output = ""
        for block, harm in ((1, lambda: None), (2, workspace.kill), (3, lambda: (plane.kill(), plane.start()))):
            while not output.endswith(f"block {block}\n"):
                output += cli.read_line(running.stdout, 30)
            # Away from the truth, and back: what began in the one time goes on in the other.
            set_clock(jump * (block % 2))
            harm()
            (workspace.root / f"go{block}").touch()
        code, rest, complaints = running.end(40)
    lines = [[f"{block} {i}" for i in range(500)] + [f"block {block}"] for block in (1, 2, 3)]
    assert (code, output + rest.decode()) == (7, "".join(line + "\n" for line in sum(lines, []))), complaints
    set_clock(0)
    verified = subprocess.run(
        [cli.GATEHOUSE, "audit", "verify", "--state", plane.state], capture_output=True, timeout=50, text=True)
    assert verified.returncode == 0, verified.stdout + verified.stderr
