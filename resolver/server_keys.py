"""The keys of a node: an RSA pair that its site values publish, and a TLS certificate."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from registry.errors import StorageUnavailable
from resolver.data_directory import write_once

RSA_BITS = 2048
CERTIFICATE_DAYS = 3650


def server_key(directory: Path) -> rsa.RSAPrivateKey:
    """The RSA key in DIR/server.key (PKCS #8 PEM, mode 0600), made if it is missing.

    Raises StorageUnavailable if the file holds none.
    """
    path = directory / "server.key"
    if path.exists():
        pem = path.read_bytes()
    else:
        made = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        pem = write_once(path, _pem(made), 0o600)
    try:
        # Checking the numbers takes 30 ms a key, and the file is one that we wrote.
        key = serialization.load_pem_private_key(
            pem, password=None, unsafe_skip_rsa_key_validation=True
        )
    except ValueError:
        raise StorageUnavailable(f"{path} holds no private key") from None
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def tls_context(
    directory: Path, name: str, host: str, client_ca: str | None = None
) -> ssl.SSLContext:
    """A server context with the self-signed certificate in DIR/tls.pem, made if it is missing.

    With `client_ca`, a PEM file of authorities, clients may show a certificate of one of them; who
    shows another one gets no connection. Raises OSError if the file cannot be read or used.
    """
    path = directory / "tls.pem"
    if not path.exists():
        write_once(path, _self_signed(name, host), 0o600)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(path)
    except ssl.SSLError:
        raise StorageUnavailable(f"{path} holds no key with its certificate") from None
    if client_ca is not None:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def _self_signed(name: str, host: str) -> bytes:
    """A private EC key and its certificate for the node's name, localhost and the host, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"idnode {name}")])
    now = datetime.datetime.now(datetime.UTC)
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.DNSName(f"{name}.test")]
    try:
        names.append(x509.IPAddress(ipaddress.ip_address(host)))
    except ValueError:
        names.append(x509.DNSName(host))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=CERTIFICATE_DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return _pem(key) + certificate.public_bytes(serialization.Encoding.PEM)


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
