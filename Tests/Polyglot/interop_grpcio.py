"""gRPC's interop test service on stock grpcio: its server, and its cases as a client. Each judges ours.

grpcio does not show whether a message came compressed, so the server can't answer the probes of the client_compressed
cases, and the client can't see the flag in the server_compressed ones: test_http2.py looks at that on the wire."""
import concurrent.futures, datetime, ipaddress, threading, time
import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization as pem
from cryptography.hazmat.primitives.asymmetric import ec
from interop import messages_pb2 as messages, empty_pb2, test_pb2_grpc

INITIAL, TRAILING = "x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"
REQUEST_SIZES, RESPONSE_SIZES = (27182, 8, 1828, 45904), (31415, 9, 2653, 58979)
SPECIAL = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"


class Identities:
    """An authority, a server on 127.0.0.1 and a client, as PEM files in a folder."""

    def __init__(self, folder):
        self.folder, self.key = folder, ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "interop authority")])
        self.write("ca", self.name, self.key, x509.BasicConstraints(True, None), None)
        for who, usage in ("server", x509.ExtendedKeyUsageOID.SERVER_AUTH), ("client", x509.ExtendedKeyUsageOID.CLIENT_AUTH):
            name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, who)])
            self.write(who, name, ec.generate_private_key(ec.SECP256R1()), x509.BasicConstraints(False, None), usage)

    def write(self, who, name, key, constraints, usage):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (x509.CertificateBuilder().subject_name(name).issuer_name(self.name).public_key(key.public_key())
                   .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
                   .not_valid_after(now + datetime.timedelta(days=1)).add_extension(constraints, True)
                   .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False))
        if usage:
            names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            builder = (builder.add_extension(x509.ExtendedKeyUsage([usage]), False)
                       .add_extension(x509.SubjectAlternativeName(names), False))
        certificate = builder.sign(self.key, hashes.SHA256())
        (self.folder / f"{who}.pem").write_bytes(certificate.public_bytes(pem.Encoding.PEM))
        (self.folder / f"{who}.key").write_bytes(key.private_bytes(
            pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption()))

    def read(self, name):
        return (self.folder / name).read_bytes()

    def flags(self, mode, who):
        """The command line's flags of gatehouse-interop."""
        own = ["--cert", self.folder / f"{who}.pem", "--key", self.folder / f"{who}.key"]
        ca = ["--ca", self.folder / "ca.pem"]
        return {"h2c": [], "tls": own if who == "server" else ca, "mtls": own + ca}[mode]

    def channel(self, mode, address, **options):
        if mode == "h2c":
            return grpc.insecure_channel(address, list(options.items()))
        pair = (self.read("client.key"), self.read("client.pem")) if mode == "mtls" else (None, None)
        return grpc.secure_channel(address, grpc.ssl_channel_credentials(self.read("ca.pem"), *pair), list(options.items()))

    def server_credentials(self, mode):
        pair = [(self.read("server.key"), self.read("server.pem"))]
        return grpc.ssl_server_credentials(pair, self.read("ca.pem") if mode == "mtls" else None, mode == "mtls")


class TestService(test_pb2_grpc.TestServiceServicer):
    def EmptyCall(self, request, context):
        return empty_pb2.Empty()

    def UnaryCall(self, request, context):
        echo(context)
        refuse(request, context)
        compress(context, request)
        return messages.SimpleResponse(payload=zeros(request.response_size))

    def StreamingOutputCall(self, request, context):
        context.set_compression(grpc.Compression.Gzip)
        yield from respond(request, context)

    def StreamingInputCall(self, requests, context):
        total = sum(len(each.payload.body) for each in requests)
        return messages.StreamingInputCallResponse(aggregated_payload_size=total)

    def FullDuplexCall(self, requests, context):
        echo(context)
        for request in requests:
            refuse(request, context)
            yield from respond(request, context)


def echo(context):
    for key, value in context.invocation_metadata():
        if key == INITIAL:
            context.send_initial_metadata(((key, value),))
        if key == TRAILING:
            context.set_trailing_metadata(((key, value),))


def refuse(request, context):
    if request.response_status.code:
        code = next(each for each in grpc.StatusCode if each.value[0] == request.response_status.code)
        context.abort(code, request.response_status.message)


def compress(context, request):
    if request.response_compressed.value:
        context.set_compression(grpc.Compression.Gzip)


def respond(request, context):
    for each in request.response_parameters:
        time.sleep(each.interval_us / 1e6)
        if not each.compressed.value:
            context.disable_next_message_compression()
        yield messages.StreamingOutputCallResponse(payload=zeros(each.size))


def zeros(count):
    return messages.Payload(body=bytes(count))


def serve(identities, mode):
    """A running server, and its address."""
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(8))
    test_pb2_grpc.add_TestServiceServicer_to_server(TestService(), server)
    if mode == "h2c":
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        port = server.add_secure_port("127.0.0.1:0", identities.server_credentials(mode))
    server.start()
    return server, f"127.0.0.1:{port}"


# The cases as a client, by their names. Each takes a stub and a function that makes a channel.

def empty_unary(stub, connect):
    assert stub.EmptyCall(empty_pb2.Empty(), timeout=10) == empty_pb2.Empty()


def large(**fields):
    return messages.SimpleRequest(response_size=314159, payload=zeros(271828), **fields)


def large_unary(stub, connect):
    assert stub.UnaryCall(large(), timeout=10).payload.body == bytes(314159)


def client_streaming(stub, connect):
    requests = (messages.StreamingInputCallRequest(payload=zeros(size)) for size in REQUEST_SIZES)
    assert stub.StreamingInputCall(requests, timeout=10).aggregated_payload_size == 74922


def output(*sizes, **fields):
    return messages.StreamingOutputCallRequest(
        response_parameters=[messages.ResponseParameters(size=size) for size in sizes], **fields)


def server_streaming(stub, connect):
    found = [len(each.payload.body) for each in stub.StreamingOutputCall(output(*RESPONSE_SIZES), timeout=10)]
    assert found == list(RESPONSE_SIZES)


class Requests:
    """An iterator of requests that are given one by one."""

    def __init__(self):
        self.condition, self.waiting, self.is_over = threading.Condition(), [], False

    def __iter__(self):
        return self

    def __next__(self):
        with self.condition:
            self.condition.wait_for(lambda: self.waiting or self.is_over)
            if self.waiting:
                return self.waiting.pop(0)
            raise StopIteration

    def give(self, request=None):
        with self.condition:
            if request is None:
                self.is_over = True
            else:
                self.waiting.append(request)
            self.condition.notify()


def ping_pong(stub, connect):
    requests = Requests()
    responses = stub.FullDuplexCall(requests, timeout=10)
    for sent, wanted in zip(REQUEST_SIZES, RESPONSE_SIZES):
        requests.give(output(wanted, payload=zeros(sent)))
        assert next(responses).payload.body == bytes(wanted)
    requests.give()
    assert list(responses) == []


def empty_stream(stub, connect):
    assert list(stub.FullDuplexCall(iter(()), timeout=10)) == []


def half_duplex(stub, connect):
    """Not one of the usual cases; the service has the method."""
    found = [len(each.payload.body) for each in stub.HalfDuplexCall(iter([output(5), output(7)]), timeout=10)]
    assert found == [5, 7]


def bool_value(value):
    return messages.BoolValue(value=value)


def client_compressed_unary(stub, connect):
    status = refusal(lambda: stub.UnaryCall(large(expect_compressed=bool_value(True)), timeout=10))
    assert status.code() == grpc.StatusCode.INVALID_ARGUMENT, status
    for expected, used in (True, grpc.Compression.Gzip), (False, grpc.Compression.NoCompression):
        answer = stub.UnaryCall(large(expect_compressed=bool_value(expected)), timeout=10, compression=used)
        assert answer.payload.body == bytes(314159)


def server_compressed_unary(stub, connect):
    for value in True, False:
        assert stub.UnaryCall(large(response_compressed=bool_value(value)), timeout=10).payload.body == bytes(314159)


def client_compressed_streaming(stub, connect):
    def send(*expected):
        return stub.StreamingInputCall(
            (messages.StreamingInputCallRequest(payload=zeros(27182), expect_compressed=bool_value(each)) for each in expected),
            timeout=10, compression=grpc.Compression.Gzip)
    assert send(True, True).aggregated_payload_size == 2 * 27182
    status = refusal(lambda: send(True, False))
    assert status.code() == grpc.StatusCode.INVALID_ARGUMENT, status


def server_compressed_streaming(stub, connect):
    request = messages.StreamingOutputCallRequest(response_parameters=[
        messages.ResponseParameters(size=31415, compressed=bool_value(True)),
        messages.ResponseParameters(size=92653, compressed=bool_value(False))])
    assert [len(each.payload.body) for each in stub.StreamingOutputCall(request, timeout=10)] == [31415, 92653]


def custom_metadata(stub, connect):
    sent = ((INITIAL, "test_initial_metadata_value"), (TRAILING, b"\xab\xab\xab"))
    _, call = stub.UnaryCall.with_call(large(), timeout=10, metadata=sent)
    stream = stub.FullDuplexCall(iter([output(314159)]), timeout=10, metadata=sent)
    assert len(list(stream)) == 1
    for each in call, stream:
        assert dict(each.initial_metadata())[INITIAL] == "test_initial_metadata_value"
        assert dict(each.trailing_metadata())[TRAILING] == b"\xab\xab\xab"


def refusal(call):
    try:
        call()
    except grpc.RpcError as error:
        return error
    raise AssertionError("the call succeeded")


def check_status(stub, message):
    status = messages.EchoStatus(code=2, message=message)
    for call in (lambda: stub.UnaryCall(messages.SimpleRequest(response_status=status), timeout=10),
                 lambda: list(stub.FullDuplexCall(iter([output(response_status=status)]), timeout=10))):
        error = refusal(call)
        assert (error.code(), error.details()) == (grpc.StatusCode.UNKNOWN, message)


def status_code_and_message(stub, connect):
    check_status(stub, "test status message")


def special_status_message(stub, connect):
    check_status(stub, SPECIAL)


def unimplemented_method(stub, connect):
    assert refusal(lambda: stub.UnimplementedCall(empty_pb2.Empty(), timeout=10)).code() == grpc.StatusCode.UNIMPLEMENTED


def unimplemented_service(stub, connect):
    with connect() as channel:
        other = test_pb2_grpc.UnimplementedServiceStub(channel)
        error = refusal(lambda: other.UnimplementedCall(empty_pb2.Empty(), timeout=10))
    assert error.code() == grpc.StatusCode.UNIMPLEMENTED


def cancel_after_begin(stub, connect):
    call = stub.StreamingInputCall.future(Requests())
    call.cancel()
    assert call.cancelled() and call.code() == grpc.StatusCode.CANCELLED


def cancel_after_first_response(stub, connect):
    requests = Requests()
    requests.give(output(31415))
    responses = stub.FullDuplexCall(requests, timeout=10)
    next(responses)
    responses.cancel()
    assert refusal(lambda: next(responses)).code() == grpc.StatusCode.CANCELLED


def timeout_on_sleeping_server(stub, connect):
    responses = stub.FullDuplexCall(Requests(), timeout=0.001)
    assert refusal(lambda: next(responses)).code() == grpc.StatusCode.DEADLINE_EXCEEDED


def rpc_soak(stub, connect):
    for _ in range(20):
        large_unary(stub, connect)


def channel_soak(stub, connect):
    for _ in range(20):
        with connect() as channel:
            large_unary(test_pb2_grpc.TestServiceStub(channel), connect)


CASES = [empty_unary, large_unary, client_streaming, server_streaming, ping_pong, empty_stream, half_duplex,
         client_compressed_unary, server_compressed_unary, client_compressed_streaming, server_compressed_streaming,
         custom_metadata, status_code_and_message, special_status_message, unimplemented_method, unimplemented_service,
         cancel_after_begin, cancel_after_first_response, timeout_on_sleeping_server, rpc_soak, channel_soak]
