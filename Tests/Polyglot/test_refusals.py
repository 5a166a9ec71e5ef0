"""What the plane refuses, and that the peer can read why."""
import datetime, json, os, pathlib, socket, ssl
import grpc, pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization as pem
from cryptography.hazmat.primitives.asymmetric import ec
from client import Client
from gatehouse.link.v1 import link_pb2, link_pb2_grpc
from gatehouse.tools.v1 import tools_pb2


def leaf(plane, folder, uri, issuer="users", days=1):
    """A client certificate from one of the plane's issuers, or one of its own; as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)
    if issuer:
        signer = pem.load_pem_private_key((plane.state / "pki" / f"{issuer}.key").read_bytes(), None)
        parent = x509.load_pem_x509_certificate((plane.state / "pki" / f"{issuer}.pem").read_bytes())
        name = parent.subject
    else:
        signer, parent, name = key, None, x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stranger")])
    end = now + datetime.timedelta(days=days)
    certificate = (
        x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(min(now, end) - datetime.timedelta(days=1))
        .not_valid_after(end).add_extension(x509.BasicConstraints(False, None), True)
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), True)
        .add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CLIENT_AUTH]), False)
        .sign(signer, hashes.SHA256()))
    chain = [certificate] + ([parent] if parent else [])
    (folder / "cert.pem").write_bytes(b"".join(each.public_bytes(pem.Encoding.PEM) for each in chain))
    (folder / "key.pem").write_bytes(key.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption()))
    (folder / "ca.pem").write_bytes((plane.state / "pki" / "ca.pem").read_bytes())
    return folder


def trust_domain(plane):
    certificate = x509.load_pem_x509_certificate((plane.state / "client" / "cert.pem").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return names.get_values_for_type(x509.UniformResourceIdentifier)[0].split("/")[2]


def alert(plane, folder=None):
    """What a TLS client reads when it is refused."""
    context = ssl.create_default_context(cafile=plane.state / "pki" / "ca.pem")
    context.set_alpn_protocols(["h2"])
    if folder:
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    host, port = plane.listen.rsplit(":", 1)
    with socket.create_connection((host, int(port)), 10) as plain:
        with pytest.raises(ssl.SSLError) as error:
            with context.wrap_socket(plain, server_hostname=host) as secure:
                while secure.recv(1000):
                    pass
    return error.value.reason


def refusal(plane, folder, call=lambda client: client.list()):
    import client as module
    refused = Client(plane.listen, module.credentials(folder))
    with pytest.raises(grpc.RpcError) as error:
        call(refused)
    refused.close()
    return error.value


def test_no_certificate(plane):
    assert alert(plane) == "TLSV13_ALERT_CERTIFICATE_REQUIRED"


def test_a_certificate_of_a_stranger(plane, tmp_path):
    folder = leaf(plane, tmp_path, f"spiffe://{trust_domain(plane)}/user/admin", issuer=None)
    assert alert(plane, folder) in ("TLSV1_ALERT_UNKNOWN_CA", "SSLV3_ALERT_BAD_CERTIFICATE")


def test_an_expired_certificate(plane, tmp_path):
    folder = leaf(plane, tmp_path, f"spiffe://{trust_domain(plane)}/user/admin", days=-1)
    assert alert(plane, folder) == "SSLV3_ALERT_CERTIFICATE_EXPIRED"


def test_a_good_chain_without_a_principal_is_told_why(plane, tmp_path):
    folder = leaf(plane, tmp_path, "spiffe://elsewhere.example/user/admin")
    error = refusal(plane, folder)
    assert error.code() == grpc.StatusCode.UNAUTHENTICATED
    assert error.details()


def test_an_issuer_of_users_makes_no_workspace(plane, tmp_path):
    folder = leaf(plane, tmp_path, f"spiffe://{trust_domain(plane)}/workspace/ws_1")
    assert refusal(plane, folder).code() == grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("listener", ["listen", "open"])
def test_plain_http_on_a_tls_port_is_told_so(plane, client, listener):
    host, port = getattr(plane, listener).rsplit(":", 1)
    with socket.create_connection((host, int(port)), 10) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        while data := plain.recv(1000):
            answer += data
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    assert b"https" in answer, answer
    client.list()  # and goes on: raises otherwise


def test_an_unknown_method_is_unimplemented(client):
    for method in ("/gatehouse.tools.v1.Tools/Fly", "/no.such.Service/Method"):
        with pytest.raises(grpc.RpcError) as error:
            client.channel.unary_unary(method)(b"", timeout=10)
        assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_a_message_that_is_too_large_is_refused(client, toold):
    with pytest.raises(grpc.RpcError) as error:
        list(client.tools.Invoke(iter([tools_pb2.InvokeRequest(start=tools_pb2.InvokeStart(
            workspace=toold.id, tool="process.exec", request=bytes(2 << 20)))]), timeout=20))
    assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_message_that_is_none_is_refused(client):
    with pytest.raises(grpc.RpcError) as error:
        client.channel.unary_unary("/gatehouse.tools.v1.Tools/List")(b"\xff\xff", timeout=10)
    assert error.value.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.INTERNAL)


def test_no_such_workspace(client):
    with pytest.raises(grpc.RpcError) as error:
        client.exec("ws_nowhere", "true")
    assert error.value.code() == grpc.StatusCode.NOT_FOUND
    assert "ws_nowhere" in error.value.details()


def test_no_such_call(client):
    for call in (lambda: client.cancel("call_none"), lambda: client.follow("call_none"), lambda: client.poll("call_none")):
        with pytest.raises(grpc.RpcError) as error:
            call()
        assert error.value.code() == grpc.StatusCode.NOT_FOUND


@pytest.fixture
def as_workspace(plane, toold):
    *texts, _ = json.loads((toold.state / "identity.json").read_text())
    channel = grpc.secure_channel(plane.listen, grpc.ssl_channel_credentials(*(text.encode() for text in texts)))
    yield channel
    channel.close()


def test_a_wrong_ticket_is_not_found(as_workspace):
    metadata = (("gatehouse-call", "call_0"), ("gatehouse-epoch", "1"), ("gatehouse-ticket-bin", os.urandom(16)))
    with pytest.raises(grpc.RpcError) as error:
        list(link_pb2_grpc.LinkStub(as_workspace).Carry(
            iter([link_pb2.CarryRequest(opened=link_pb2.Opened())]), metadata=metadata, timeout=10))
    assert error.value.code() == grpc.StatusCode.NOT_FOUND


def test_a_workspace_may_not_invoke(as_workspace):
    with pytest.raises(grpc.RpcError) as error:
        as_workspace.unary_unary("/gatehouse.tools.v1.Tools/List")(b"", timeout=10)
    assert error.value.code() == grpc.StatusCode.PERMISSION_DENIED


def test_a_person_may_not_link(client):
    with pytest.raises(grpc.RpcError) as error:
        list(link_pb2_grpc.LinkStub(client.channel).Connect(iter([]), timeout=10))
    assert error.value.code() == grpc.StatusCode.PERMISSION_DENIED


def test_tools_are_not_on_the_open_listener(plane):
    trust = grpc.ssl_channel_credentials((plane.state / "pki" / "ca.pem").read_bytes())
    with grpc.secure_channel(plane.open, trust) as channel, pytest.raises(grpc.RpcError) as error:
        channel.unary_unary("/gatehouse.tools.v1.Tools/List")(b"", timeout=10)
    assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED
