"""A client of a plane on stock grpcio: workspaces, and calls with their streams."""
import pathlib, queue
import grpc
from gatehouse.plane.v1 import chats_pb2_grpc, workspaces_pb2 as workspaces, workspaces_pb2_grpc
from gatehouse.tools.v1 import call_pb2, process_pb2, tools_pb2 as tools, tools_pb2_grpc

STREAMS = {call_pb2.STREAM_STDOUT: "stdout", call_pb2.STREAM_STDERR: "stderr", call_pb2.STREAM_PTY: "pty"}


def credentials(folder):
    """The identity in a folder with ca.pem, cert.pem and key.pem, as a plane's first start makes it."""
    read = lambda name: pathlib.Path(folder, name).read_bytes()
    return grpc.ssl_channel_credentials(read("ca.pem"), read("key.pem"), read("cert.pem"))


class Client:
    def __init__(self, address, credentials):
        self.channel = grpc.secure_channel(address, credentials)
        self.tools = tools_pb2_grpc.ToolsStub(self.channel)
        self.chats = chats_pb2_grpc.ChatsStub(self.channel)
        self.workspaces = workspaces_pb2_grpc.WorkspacesStub(self.channel)

    def close(self):
        self.channel.close()

    def create(self, name, root=None):
        """A workspace; with a root a local one, whose daemon the plane starts."""
        local = None if root is None else workspaces.LocalWorkspace(root=str(root))
        return self.workspaces.Create(workspaces.CreateWorkspaceRequest(name=name, local=local), timeout=30)

    def workspace(self, id):
        listed = self.workspaces.List(workspaces.ListWorkspacesRequest(), timeout=10).workspaces
        return next((each for each in listed if each.id == id), None)

    def invoke(self, workspace, tool, request, **start):
        return Invocation(self.tools, tools.InvokeStart(
            workspace=workspace, tool=tool, request=request.SerializeToString(), **start))

    def exec(self, workspace, *argv, stdin=False, environment={}, terminal=None, **start):
        return self.invoke(workspace, "process.exec", process_pb2.ExecRequest(
            argv=[each.encode() if isinstance(each, str) else each for each in argv], stdin=stdin, terminal=terminal,
            environment=[process_pb2.EnvironmentVariable(name=n, value=v) for n, v in environment.items()]), **start)

    def follow(self, call_id, **start):
        """All output of a call from given offsets on, then its exit."""
        return collect(self.tools.Follow(tools.FollowRequest(
            call_id=call_id, **{"from": offsets(start)}), timeout=60))

    def poll(self, call_id):
        """The same by `Poll`, in as many requests as it takes."""
        output, position = Output(), []
        while not output.exit:
            answer = self.tools.Poll(tools.PollRequest(
                call_id=call_id, max_bytes=1000, wait_ms=5000, **{"from": position}), timeout=30)
            for chunk in answer.chunks:
                output.take(chunk)
            position, output.exit = answer.next, answer.exit if answer.HasField("exit") else None
        return output

    def list(self, **request):
        return self.tools.List(tools.ListRequest(**request), timeout=10).calls

    def cancel(self, call_id):
        return self.tools.Cancel(tools.CancelRequest(call_id=call_id), timeout=30)


class Output:
    """What a call wrote. A chunk that leaves out or repeats a byte is an error."""

    def __init__(self, start=None):
        self.bytes, self.exit = {name: bytearray() for name in STREAMS.values()}, None
        self.start = start or {}

    def take(self, chunk):
        name = STREAMS[chunk.stream]
        expected = self.start.get(name, 0) + len(self.bytes[name])
        assert chunk.offset == expected, f"{name}: bytes from {chunk.offset} on, {expected} expected"
        self.bytes[name] += chunk.data

    def __getattr__(self, name):
        return bytes(self.__dict__["bytes"][name])


class Invocation:
    """A call of ours: what goes up its stream, and what comes down."""

    def __init__(self, stub, start):
        self.up = queue.SimpleQueue()
        self.stdin_sent = 0
        self.say(start=start)
        self.stream = stub.Invoke(iter(self.up.get, None))
        self.output, self.states = Output(), []
        self.accepted = self.next("accepted").accepted

    @property
    def call_id(self):
        return self.accepted.call_id

    def say(self, **message):
        self.up.put(tools.InvokeRequest(**message))

    def write(self, data):
        for start in range(0, len(data), 64 << 10):
            piece = data[start:start + (64 << 10)]
            self.say(chunk=call_pb2.Chunk(stream=call_pb2.STREAM_STDIN, offset=self.stdin_sent, data=piece))
            self.stdin_sent += len(piece)

    def close_stdin(self):
        self.say(close_stdin=call_pb2.CloseStdin(offset=self.stdin_sent))

    def signal(self, number):
        self.say(signal=call_pb2.Signal(number=number))

    def next(self, *kinds):
        """Reads until a message of one of these kinds."""
        for message in self.stream:
            kind = message.WhichOneof("message")
            if kind == "chunk":
                self.output.take(message.chunk)
            elif kind == "gap":
                raise AssertionError(f"bytes were lost: {message.gap}")
            elif kind == "exit":
                self.output.exit = message.exit
            elif kind == "state":
                self.states.append(message.state)
            if kind in kinds:
                return message
        raise AssertionError(f"the stream ended before {kinds}")

    def read_until(self, text, stream="stdout"):
        while text not in self.output.bytes[stream]:
            self.next("chunk", "exit")
            assert not self.output.exit, f"it ended before {text!r}: {self.output.exit}"

    def result(self):
        """Reads to the end. The plane ends the stream with OK, whatever the outcome."""
        if not self.output.exit:
            self.next("exit")
        self.up.put(None)
        assert list(self.stream) == [] and self.stream.code() == grpc.StatusCode.OK
        return self.output


def offsets(positions):
    numbers = {name: number for number, name in STREAMS.items()}
    return [call_pb2.StreamOffset(stream=numbers[name], offset=offset) for name, offset in positions.items()]


def collect(stream, **start):
    output = Output(start)
    for message in stream:
        kind = message.WhichOneof("message")
        if kind == "chunk":
            output.start.setdefault(STREAMS[message.chunk.stream], message.chunk.offset)
            output.take(message.chunk)
        elif kind == "exit":
            output.exit = message.exit
    return output
