"""A join token becomes an identity: the key is made here, only a certificate request travels."""
import json, os, pathlib
import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization as pem
from cryptography.hazmat.primitives.asymmetric import ec
from gatehouse.link.v1 import enrollment_pb2, enrollment_pb2_grpc


def enroll(address, ca, token):
    """Asks the open listener at `address`, trusted by the PEM file `ca`, for a certificate.

    Returns PEM texts: what to trust the plane by, the key, the certificate chain; and its address.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    trust = grpc.ssl_channel_credentials(pathlib.Path(ca).read_bytes())
    with grpc.secure_channel(address, trust) as channel:
        answer = enrollment_pb2_grpc.EnrollmentStub(channel).Enroll(enrollment_pb2.EnrollRequest(
            token=token, csr_der=csr.public_bytes(pem.Encoding.DER)))
    secret = key.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption())
    return [pems(answer.authorities_der), secret.decode(), pems(answer.certificates_der), answer.plane_address]


def pems(ders):
    return "".join(x509.load_der_x509_certificate(der).public_bytes(pem.Encoding.PEM).decode() for der in ders)


def identity(state, *how):
    """The identity kept in the folder `state`; enrolls when there is none. Credentials and address."""
    saved = pathlib.Path(state, "identity.json")
    if not saved.exists():
        os.umask(0o077)
        saved.write_text(json.dumps(enroll(*how)))
    *texts, address = json.loads(saved.read_text())
    return grpc.ssl_channel_credentials(*(text.encode() for text in texts)), address
