"""Certificates of clients over HTTPS, from authorities that a node trusts and from others."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.administered import administered_node

PATH = "/api/handles/88.1000/c-1"
BODY = [{"index": 1, "type": "URL", "data": "https://c.example/"}]
ADMIN = "300:88.1000/ADMIN"


class Authority:
    """An authority that certifies names, in files of a directory."""

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.path = directory / f"{name}.pem"
        certificate = self._sign(self._name, self._key, ca=True)
        self.path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def certify(self, name: str, kind: x509.ObjectIdentifier = NameOID.USER_ID) -> Path:
        """A PEM file with a new key and its certificate for the name."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(x509.Name([x509.NameAttribute(kind, name)]), key, ca=False)
        path = self._directory / "client.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        return path

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, ca: bool
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )


@pytest.fixture
def authority(tmp_path) -> Authority:
    return Authority(tmp_path, "trusted")


@pytest.fixture
async def https(tmp_path, authority) -> AsyncIterator[str]:
    async with administered_node(tmp_path, f'client_ca = "{authority.path}"') as node:
        yield node.node.ready_entry()["https"]


async def put(https: str, certificate: Path | None, **headers: str) -> int:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if certificate is not None:
        context.load_cert_chain(certificate)
    async with (
        aiohttp.ClientSession() as http,
        http.put(https + PATH, json=BODY, headers=headers, ssl=context) as reply,
    ):
        return reply.status


@pytest.mark.parametrize("kind", [NameOID.USER_ID, NameOID.COMMON_NAME])
async def test_a_certified_administrator(https, authority, kind):
    certificate = authority.certify(ADMIN, kind)
    assert await put(https, certificate, Authorization='Handle clientCert="true"') == 201
    assert await put(https, certificate) == 200
    assert await put(https, certificate, Authorization='Handle clientCert="false"') == 401


async def test_who_shows_none_is_asked_for_something_else(https):
    assert await put(https, None) == 401
    assert await put(https, None, Authorization='Handle clientCert="true"') == 401


@pytest.mark.parametrize(
    ("name", "status"),
    [("300:88.1000/NOBODY", 403), ("301:88.1000/ADMIN", 403), ("88.1000/\u200b", 403)],
)
async def test_a_certified_stranger(https, authority, name, status):
    assert await put(https, authority.certify(name)) == status


async def test_another_authority(tmp_path, https):
    stranger = Authority(tmp_path, "stranger").certify(ADMIN)
    with pytest.raises((aiohttp.ClientError, ConnectionError)):
        await put(https, stranger)


async def test_without_authorities_no_certificate_counts(tmp_path, authority):
    async with administered_node(tmp_path) as node:
        https = node.node.ready_entry()["https"]
        assert await put(https, authority.certify(ADMIN)) == 401
