"""A node's keys: made once, private, and good for what they are for."""

from __future__ import annotations

import ssl
import stat

from cryptography import x509

from resolver.server_keys import server_key, tls_context


def test_the_rsa_key_is_made_once_and_private(tmp_path):
    first = server_key(tmp_path)
    assert server_key(tmp_path).private_numbers() == first.private_numbers()
    assert first.key_size == 2048
    assert stat.S_IMODE((tmp_path / "server.key").stat().st_mode) == 0o600


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
