"""A mixed load while plane and daemons are killed, and links and clients cut and black-holed, at random: every call in a
true outcome, every output exact.

`FAULT_KILLS` (8) says how often, `FAULT_SEED` (1) which way: the same in each run, so that one that fails did not
just draw another way. `FAULT_SEED=random` draws one, which is printed; so does `make soak-faults`, at length.
"""
import base64, faulthandler, json, os, random, signal, subprocess, threading, time
import pytest
import cli
from gatehouse.plane.v1 import chats_pb2, workspaces_pb2
from plane import BINARIES, Local, Plane, Proxy, wait_until
from test_exec import daemon_of

KILLS = int(os.environ.get("FAULT_KILLS", 8))
ASKED = os.environ.get("FAULT_SEED", "1")
SEED = random.randrange(1 << 32) if ASKED == "random" else int(ASKED)
WORKERS = 4

# Says that it runs, prints its lines on both outputs, now and then slowly, and ends with its own code.
COMMAND = """
echo run >> runs/$0
i=0
while [ $i -lt $1 ]; do
  echo "$0 out $i"; [ $((i % 3)) = 0 ] && echo "$0 err $i" >&2
  i=$((i+1)); [ $((i % 40)) = 0 ] && sleep 0.02
done
exit $2
"""

# What each chat's agent does. The call's id is not known to the script, so a line for each run is left.
SAYS = " ".join(f"word{number}" for number in range(40))
AGENT = [
    {"text": SAYS, "calls": [{"tool": "process.shell", "arguments": {
        "script": "echo run >> chats; i=0; while [ $i -lt 200 ]; do echo $i; i=$((i+1)); [ $((i % 50)) = 0 ] && sleep 0.1; done"}}]},
    {"text": "done"},
]


@pytest.fixture(autouse=True)
def bounded():
    """In place of the minute that other tests have."""
    faulthandler.dump_traceback_later(60 + 8 * KILLS, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


class Remote:
    """A workspace elsewhere: `gatehouse-toold` behind a proxy, started by the test."""

    def __init__(self, plane, client, folder, name):
        self.root, self.folder, self.client = folder / "root", folder, client
        self.root.mkdir(parents=True)
        answer = client.create(name)
        self.id, self.proxy = answer.workspace.id, Proxy(plane.listen)
        (folder / "token").write_text(answer.join_token)
        self.command = [
            BINARIES / "gatehouse-toold", "--state", folder / "state", "--root", self.root,
            "--ca", plane.state / "client" / "ca.pem", "--token-file", folder / "token",
            "--enroll-address", plane.open, "--plane", self.proxy.address, "--redial-within", "1"]
        self.start()

    def start(self):
        with open(self.folder / "daemon.log", "ab") as log:
            self.process = subprocess.Popen(self.command, stderr=log)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.start()

    def close(self):
        self.process.terminate()
        self.process.wait(70)
        self.proxy.close()


class Load:
    """Commands, commands that read, edits and chats, one after the other, as a person at a shell starts them."""

    def __init__(self, plane, workspaces):
        self.plane, self.workspaces = plane, workspaces
        # Every other command goes through it: what is cut there is a client's connection.
        self.proxy = Proxy(plane.listen)
        self.is_over, self.problems, self.counts, self.chats = threading.Event(), [], {}, {}
        self.lock, self.options = threading.Lock(), threading.local()

    def work(self, worker):
        pick, number = random.Random(SEED * 31 + worker), 0
        while not self.is_over.is_set():
            number += 1
            workspace = pick.choice(self.workspaces)
            step = pick.choice([self.command, self.command, self.reader, self.edit, self.chat])
            self.options.value = pick.choice([(), ("--plane", self.proxy.address)])
            name = f"w{worker}n{number}"
            try:
                kind = step(pick, workspace, name)
            except (AssertionError, subprocess.TimeoutExpired) as error:
                said = [part[-2000:] for part in (getattr(error, "output", b""), getattr(error, "stderr", b"")) if part]
                self.problems.append(f"{name} in {workspace.id}: {error} {said}")
                self.is_over.set()
                return
            with self.lock:
                self.counts[kind] = self.counts.get(kind, 0) + 1

    def command(self, pick, workspace, name):
        lines, code = pick.randrange(10, 600), pick.randrange(0, 100)
        argv = ["sh", "-c", COMMAND, name, str(lines), str(code)]
        outcome = self.run(workspace, argv, code)
        self.check_runs(workspace, name, outcome[0])
        if outcome[0] != "exact":
            return outcome[0]
        _, output, complaints = outcome
        assert output.decode() == "".join(f"{name} out {i}\n" for i in range(lines)), f"output differs; {complaints[-500:]}"
        errors = [line for line in complaints.splitlines() if line.startswith(f"{name} err ")]
        assert errors == [f"{name} err {i}" for i in range(0, lines, 3)], f"errors differ; {complaints[-500:]}"
        return "command"

    def check_runs(self, workspace, name, outcome):
        """Once, or where nobody knows how it ended, at most once; what was refused never began."""
        path = workspace.root / "runs" / name
        runs = path.read_text().count("run\n") if path.exists() else 0
        allowed = {"exact": (1,), "refused": (0,)}.get(outcome, (0, 1))
        assert runs in allowed, f"{outcome}, and it ran {runs} times"

    def reader(self, pick, workspace, name):
        data = pick.randbytes(pick.randrange(0, 200_000))
        outcome = self.run(workspace, ["sh", "-c", f"cat > in-{name}; wc -c < in-{name}"], 0, data)
        if outcome[0] != "exact":
            return outcome[0]
        assert (workspace.root / f"in-{name}").read_bytes() == data, "input differs"
        assert outcome[1].split() == [str(len(data)).encode()]
        return "reader"

    def edit(self, pick, workspace, name):
        content = base64.b64encode(pick.randbytes(500)).decode()
        request = json.dumps({"path": base64.b64encode(f"edit-{name}".encode()).decode(), "content": content})
        ended = subprocess.run(
            [cli.GATEHOUSE, "call", "invoke", "--state", self.plane.state, workspace.id, "files.write", "--request", request],
            capture_output=True, timeout=55, text=True)
        if ended.returncode == 0:
            assert (workspace.root / f"edit-{name}").read_bytes() == base64.b64decode(content)
            return "edit"
        return self.explained(ended.returncode, ended.stderr)

    def chat(self, pick, workspace, name):
        with self.lock:
            self.chats[workspace.id] = self.chats.get(workspace.id, 0) + 1
        ran = subprocess.run(
            [cli.GATEHOUSE, "run", name, "--model", "script", "--workspace", workspace.id, "--state", self.plane.state, "--json"],
            capture_output=True, timeout=55, text=True)
        events = [json.loads(line) for line in ran.stdout.splitlines()]
        if not events or "ended" not in events[-1]:
            return self.explained(125 if ran.returncode == 1 else ran.returncode, ran.stderr)
        assert ran.returncode == 0, f"{events[-1]}; {ran.stderr[-500:]}"
        assert [int(event["sequence"]) for event in events] == list(range(1, len(events) + 1)), "events are missing or twice"
        text = "".join(event["text"]["text"] for event in events if "text" in event)
        assert text == SAYS + "done", f"the agent's words differ: {text}"
        ended = [event["tool_ended"] for event in events if "tool_ended" in event]
        assert len(ended) == 1, "its one call has other than one end"
        output = b"".join(base64.b64decode(event["tool_output"]["data"]) for event in events if "tool_output" in event)
        if ended[0]["outcome"] != "OUTCOME_EXITED":
            return "chat, " + ended[0]["outcome"].lower()
        whole = "".join(f"{number}\n" for number in range(200)).encode()
        return "chat" if output == whole else "chat, gap"

    def run(self, workspace, argv, code, data=b""):
        got, output, complaints = cli.run(
            self.plane, workspace.id, *argv, input=data, seconds=55, options=self.options.value)
        if got == 125:
            return (self.explained(got, complaints),)
        assert got == code, f"code {got} for {code}; {complaints[-500:]}"
        assert "bytes of output are lost" not in complaints, complaints[-500:]
        return "exact", output, complaints

    def explained(self, code, complaints):
        """Not done, or not known to be: then it says so."""
        known = "lost: ", "is not linked", "it runs elsewhere", "is stopping", "cannot reach the plane", "was cut off", "does not know the call", \
            "closed the connection", "was lost: ", "did not take the call"
        assert code == 125 and any(text in complaints for text in known), f"code {code}: {complaints[-500:]}"
        is_lost = any(line.startswith("gatehouse: lost: ") for line in complaints.splitlines())
        if not is_lost and "does not know the call" not in complaints:
            return "refused"
        print(f"lost: {complaints[-300:]!r}")
        return "lost"


def do_harm(pick, plane, workspaces, client_proxy):
    """A plane that is gone is started again; a local daemon is by its plane."""
    what = pick.choice(["plane", "stop", "daemon", "daemon", "hand-over", "cut", "hole"])
    proxy = pick.choice([client_proxy, workspaces[-1].proxy])
    if what == "cut":
        proxy.cut()
        return what
    if what == "hole":
        proxy.stall()
        time.sleep(pick.uniform(0.5, 12 if KILLS > 50 else 3))
        # What was under way comes late, or never.
        if pick.random() < 0.5:
            proxy.cut()
        proxy.resume()
        return what
    if what in ("daemon", "hand-over"):
        workspace = pick.choice(workspaces)
        if what == "daemon" and isinstance(workspace, Remote):
            workspace.kill()
            return what
        try:
            os.kill(daemon_of(workspace), signal.SIGKILL if what == "daemon" else signal.SIGHUP)
        except (AssertionError, ProcessLookupError):
            pass  # it is just being started
        return what
    plane.kill() if what == "plane" else plane.stop()
    time.sleep(pick.random() * 0.5)
    plane.start()
    return what


@pytest.fixture
def site(tmp_path):
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"name": "script", "pace_ms": 5, "steps": AGENT}))
    plane = Plane(tmp_path / "state", "--script", script)
    client = plane.client()
    workspaces = [Local(plane, client, tmp_path / "one", "one"), Remote(plane, client, tmp_path / "two", "two")]
    is_linked = lambda: client.workspace(workspaces[1].id).state == workspaces_pb2.WORKSPACE_STATE_LINKED
    wait_until(is_linked, "the daemon elsewhere is not linked")
    client.close()
    for workspace in workspaces:
        (workspace.root / "runs").mkdir()
    yield plane, workspaces
    client = plane.client()
    for workspace in workspaces:
        workspace.client = client
        workspace.close()
    client.close()
    plane.stop()


def test_random_harm_loses_nothing_and_run_nothing_twice(site):
    plane, workspaces = site
    print(f"seed {SEED}, {KILLS} kills")
    pick, load = random.Random(SEED), Load(plane, workspaces)
    workers = [threading.Thread(target=load.work, args=(number,)) for number in range(WORKERS)]
    for worker in workers:
        worker.start()
    kills = {}
    for _ in range(KILLS):
        if load.is_over.wait(pick.uniform(0.2, 2.5)):
            break
        what = do_harm(pick, plane, workspaces, load.proxy)
        kills[what] = kills.get(what, 0) + 1
    load.is_over.set()
    for worker in workers:
        worker.join(60)
    load.proxy.close()
    print(f"seed {SEED}: kills {kills}, calls {load.counts}")
    if load.problems:
        print("\n".join(load.problems))
        show_state(plane, workspaces)
    assert not load.problems, f"seed {SEED}: {load.problems}"
    # Of a daemon that was killed nobody knows what a tool had done that it was at, or a command that was only
    # just written down. No output is lost, by whatever.
    gaps = [kind for kind in load.counts if "gap" in kind]
    assert not gaps, f"seed {SEED}: {load.counts}"
    losses = sum(count for kind, count in load.counts.items() if "lost" in kind)
    assert losses <= kills.get("daemon", 0) * WORKERS, f"seed {SEED}: {losses} losses by {kills}"
    client = plane.client()
    is_working = lambda: any(chat.state == chats_pb2.CHAT_STATE_WORKING
                             for chat in client.chats.List(chats_pb2.ListChatsRequest(), timeout=10).chats)
    wait_until(lambda: not is_working(), f"seed {SEED}: chats are still at work", 90)
    wait_until(lambda: not client.list(running_only=True), f"seed {SEED}: calls still run", 90)
    client.close()
    for workspace in workspaces:
        path = workspace.root / "chats"
        runs = len(path.read_text().splitlines()) if path.exists() else 0
        assert runs <= load.chats.get(workspace.id, 0), f"seed {SEED}: the commands of chats ran {runs} times"
    check_ledger(plane)


def show_state(plane, workspaces):
    """What a person would look at to find out why something hangs."""
    for words in (["workspace", "list"], ["call", "list"], ["chat", "list"]):
        shown = subprocess.run([cli.GATEHOUSE, *words, "--state", plane.state], capture_output=True, timeout=20, text=True)
        print(f"$ gatehouse {' '.join(words)}\n{shown.stdout}{shown.stderr}")
    of = lambda one: one.folder / "daemon.log" if isinstance(one, Remote) else plane.state / "workspaces" / one.id / "daemon.log"
    logs = {"plane": plane.log} | {one.id: of(one) for one in workspaces}
    for name, path in logs.items():
        print(f"{name}'s log ends with\n" + "\n".join(path.read_text().splitlines()[-60:]))


def check_ledger(plane):
    # Nobody waits for a call's end to be on disk but its daemon.
    wait_until(lambda: not unfinished_in_ledger(plane), f"seed {SEED}: calls without one end each are in the ledger", 30)
    verified = subprocess.run([cli.GATEHOUSE, "audit", "verify", "--state", plane.state], capture_output=True, timeout=50, text=True)
    assert verified.returncode == 0, f"seed {SEED}: {verified.stdout}{verified.stderr}"


def unfinished_in_ledger(plane):
    """Calls of which the ledger has other than one beginning and one end."""
    found = subprocess.run(
        [cli.GATEHOUSE, "audit", "search", "--json", "--last", "0", "--kind", "call", "--state", plane.state],
        capture_output=True, timeout=50, text=True, check=True).stdout
    kinds = {}
    for line in found.splitlines():
        event = json.loads(line)
        kinds.setdefault(event["header"]["call"], []).append(event["kind"])
    return {call: events for call, events in kinds.items()
            if not events.count("call.intended") == events.count("call.ended") == 1}
