"""A complete Gatehouse daemon: enrolls, links, runs `process.exec` and `files.read`, survives cuts.
Proto/README.md walks through it. toold.py ROOT STATE OPEN_ADDRESS CA_FILE TOKEN [PLANE_ADDRESS]"""
import asyncio, contextlib, hashlib, itertools, os, pathlib, random, signal, subprocess, sys, tempfile, grpc
from enroll import identity
from gatehouse.link.v1 import link_pb2 as link, link_pb2_grpc
from gatehouse.tools.v1 import call_pb2 as tools, files_pb2, process_pb2

ENVIRONMENT = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}  # nothing else of ours
ERRORS = {2: "not_found", 13: "permission_denied", 18: "outside_root", 21: "is_directory", 74: "digest_mismatch"}

class Call:
    """One call. It outlives the streams that carry it: its output waits in files, to be sent from any position."""
    def __init__(self, root, offer):
        self.root, self.offer, self.request, self.stdin_taken = root, offer, bytearray(offer.request), 0
        self.outputs = {s: tempfile.TemporaryFile() for s in (tools.STREAM_STDOUT, tools.STREAM_STDERR)}
        self.process = self.exit = self.forced = self.carrying = None
        self.running = asyncio.create_task(self.run())
        asyncio.get_running_loop().call_later(offer.deadline_ms / 1000, self.end, tools.OUTCOME_TIMED_OUT)
    def end(self, outcome): self.forced = self.forced or outcome  # `work` kills what runs
    async def run(self):
        try:
            outcome, fields = await self.work()
        except OSError as error:
            outcome = tools.OUTCOME_EXITED if self.offer.tool == "files.read" else tools.OUTCOME_SPAWN_FAILED
            fields = {"code": 1, "error": tools.ToolError(code=ERRORS.get(error.errno, "internal"), message=str(error))}
        data = {s: os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0) for s, file in self.outputs.items()}
        totals = [tools.StreamTotal(stream=s, bytes=len(d), sha256=hashlib.sha256(d).digest()) for s, d in data.items()]
        self.exit = tools.Exit(outcome=outcome, totals=totals, tree_gone=bool(self.forced), **fields)
    async def work(self):
        while len(self.request) < self.offer.request_bytes and not self.forced:
            await asyncio.sleep(0.01)  # the rest comes by `hear`
        if self.forced:
            return self.forced, {}
        request, tool = bytes(self.request), self.offer.tool.encode()
        signed = b"gatehouse.call.v1\0" + len(tool).to_bytes(4, "big") + tool + request
        if hashlib.sha256(signed).digest() != self.offer.digest:
            raise OSError(74, "the request is not the one that was offered")
        if tool == b"files.read":
            return tools.OUTCOME_EXITED, {"response": self.read(files_pb2.ReadRequest.FromString(request))}
        request = process_pb2.ExecRequest.FromString(request)
        self.process = subprocess.Popen(
            list(request.argv), 0, None, subprocess.PIPE if request.stdin else subprocess.DEVNULL, *self.outputs.values(),
            cwd=os.path.join(self.root, os.fsdecode(request.cwd)), start_new_session=True,
            env=ENVIRONMENT | {variable.name: variable.value for variable in request.environment})
        while (code := self.process.poll()) is None:
            if self.forced:
                os.killpg(self.process.pid, signal.SIGKILL)
            await asyncio.sleep(0.01)
        outcome = tools.OUTCOME_EXITED if code >= 0 else tools.OUTCOME_SIGNALLED
        return self.forced or outcome, {"code": max(code, 0), "signal": max(-code, 0)}
    def read(self, request):
        path = os.path.realpath(os.path.join(self.root, os.fsdecode(request.path)))
        if os.path.commonpath([self.root, path]) != self.root:
            raise OSError(18, f"{request.path} leads out of the workspace; use a path below its root")
        data, start = pathlib.Path(path).read_bytes(), request.bytes.offset
        asked = data[start:start + (request.bytes.length or len(data))]
        content, digest = asked[:request.max_bytes or 768 << 10], hashlib.sha256(data).digest()
        return files_pb2.ReadResponse(content=content, offset=start, total_bytes=len(data), sha256=digest,
                                      truncated=len(content) < len(asked)).SerializeToString()
    async def hear(self, stream):
        """What comes down an attachment: the rest of the request, stdin, signals."""
        async for message in stream:
            kind, chunk = message.WhichOneof("message"), message.chunk
            if kind == "chunk" and chunk.stream == tools.STREAM_REQUEST:
                self.request += chunk.data
            while len(self.request) >= self.offer.request_bytes and not self.process and not self.exit:
                await asyncio.sleep(0.01)
            with contextlib.suppress(OSError, ValueError, AttributeError):  # it ended, or closed its stdin, or never ran
                if kind == "chunk" and chunk.stream == tools.STREAM_STDIN:
                    self.stdin_taken += len(chunk.data)
                    await asyncio.to_thread(self.process.stdin.write, chunk.data)
                elif kind == "close_stdin":
                    self.process.stdin.close()
                elif kind == "signal":
                    os.killpg(self.process.pid, message.signal.number)
    async def say(self, sent):
        """What goes up an attachment: `opened`, output from the positions in `sent` on, and `exit` last."""
        stdin = tools.StreamOffset(stream=tools.STREAM_STDIN, offset=self.stdin_taken)
        request, exit = tools.StreamOffset(stream=tools.STREAM_REQUEST, offset=len(self.request)), None
        yield link.CarryRequest(opened=link.Opened(received=[stdin, request]))
        while not exit:
            exit = self.exit  # before the last look at the output
            for stream, file in self.outputs.items():
                while data := os.pread(file.fileno(), 64 << 10, sent[stream]):
                    yield link.CarryRequest(chunk=tools.Chunk(stream=stream, offset=sent[stream], data=data))
                    sent[stream] += len(data)
            if stdin.offset < self.stdin_taken:
                stdin.offset = self.stdin_taken
                yield link.CarryRequest(ack=tools.Ack(offsets=[stdin]))
            await asyncio.sleep(0.01)
        yield link.CarryRequest(exit=exit)

class Daemon:
    def __init__(self, root):
        self.root, self.instance, self.calls, self.delay = os.path.realpath(root), os.urandom(16), {}, 0.5
    async def carry(self, id, ticket, acknowledged):
        """One attachment. The plane's OK says that it has the exit; after anything else it will resume."""
        call, metadata = self.calls[id], (
            ("gatehouse-call", id), ("gatehouse-epoch", str(self.epoch)), ("gatehouse-ticket-bin", ticket))
        positions = dict.fromkeys(call.outputs, 0) | {offset.stream: offset.offset for offset in acknowledged}
        try:
            await call.hear(self.stub.Carry(call.say(positions), metadata=metadata))
            self.calls.pop(id, None)
        except grpc.RpcError as error:
            self.say(unclaimed=link.Unclaimed(call_id=id, reason=error.details()))
    async def speak(self, said):
        """What goes up the link: `hello`, the inventory, then answers and heartbeats."""
        yield link.ConnectRequest(hello=link.Hello(generation=1, instance_id=self.instance, max_calls=64,
                                                   capabilities=["process.exec", "files.read"], version="toold.py"))
        known = [link.KnownCall(call_id=id, digest=c.offer.digest, ended=bool(c.exit)) for id, c in self.calls.items()]
        yield link.ConnectRequest(inventory=link.Inventory(calls=known, last=True))
        for beat in itertools.count(1):
            try:
                yield await asyncio.wait_for(said.get(), self.interval)
            except TimeoutError:
                yield link.ConnectRequest(heartbeat=link.Heartbeat(sequence=beat))
    async def session(self, channel):
        """One link, until it is cut. Calls go on without one."""
        said, self.stub, self.interval = asyncio.Queue(), link_pb2_grpc.LinkStub(channel), 1
        self.say = lambda **message: said.put_nowait(link.ConnectRequest(**message))
        async for message in self.stub.Connect(self.speak(said)):
            kind = message.WhichOneof("message")
            value = getattr(message, kind or "drain")
            id = getattr(value, "call_id", None)
            if kind == "welcome":
                self.epoch, self.interval, self.delay = value.session_epoch, value.heartbeat_ms / 2000, 0.5
            elif kind == "offer" and value.tool not in ("process.exec", "files.read"):
                self.say(refused=link.Refused(call_id=id, error=tools.ToolError(code="unknown_tool", message=value.tool)))
            elif kind == "offer" or (kind == "resume" and id in self.calls):
                call = self.calls[id] = self.calls.get(id) or Call(self.root, value)
                call.carrying = asyncio.create_task(self.carry(id, value.ticket, getattr(value, "acknowledged", ())))
            elif kind == "cancel" and id in self.calls:
                self.calls[id].end(tools.OUTCOME_CANCELLED)
            elif kind == "forget":
                for call in filter(None, (self.calls.pop(id, None) for id in value.call_ids)):
                    call.end(tools.OUTCOME_CANCELLED)
            elif kind == "drain":
                break  # and connect again; what runs is resumed there

async def main(root, state, *how):
    (credentials, address), daemon = identity(state, *how[:3]), Daemon(root)
    while True:
        with contextlib.suppress(grpc.RpcError):
            async with grpc.aio.secure_channel(*how[3:] or [address], credentials) as channel:
                await daemon.session(channel)
        await asyncio.sleep(random.uniform(0, daemon.delay))
        daemon.delay = min(2 * daemon.delay, 30)

asyncio.run(main(*sys.argv[1:]))
