"""A node's keys: made once, private, and good for what they are for."""

from __future__ import annotations

import ssl
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography import x509

from registry.errors import StorageUnavailable
from resolver.server_keys import server_key, tls_context


def test_the_rsa_key_is_made_once_and_private(tmp_path):
    first = server_key(tmp_path)
    assert server_key(tmp_path).private_numbers() == first.private_numbers()
    assert first.key_size == 2048
    assert stat.S_IMODE((tmp_path / "server.key").stat().st_mode) == 0o600


def test_nodes_that_start_together_agree_on_a_key(tmp_path):
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(server_key, [tmp_path] * 4))
    assert {key.private_numbers() for key in made} == {server_key(tmp_path).private_numbers()}
    assert [path.name for path in tmp_path.iterdir()] == ["server.key"]


def test_a_file_that_holds_no_key_is_named(tmp_path):
    for name in ("server.key", "tls.pem"):
        (tmp_path / name).write_bytes(b"no key")
    with pytest.raises(StorageUnavailable, match=r"server\.key"):
        server_key(tmp_path)
    with pytest.raises(StorageUnavailable, match=r"tls\.pem"):
        tls_context(tmp_path, "baijiu", "127.0.0.1")


def test_the_certificate_names_the_node_and_its_host(tmp_path):
    context = tls_context(tmp_path, "baijiu", "127.0.0.1")
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    pem = (tmp_path / "tls.pem").read_bytes()
    certificate = x509.load_pem_x509_certificate(pem[pem.index(b"-----BEGIN CERT") :])
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "baijiu.test" in names.get_values_for_type(x509.DNSName)
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    tls_context(tmp_path, "baijiu", "127.0.0.1")
    assert (tmp_path / "tls.pem").read_bytes() == pem
