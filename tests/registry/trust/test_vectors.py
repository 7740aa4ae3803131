"""Held against values that the Handle.Net library signed, and against what its verifier says."""

from __future__ import annotations

import pytest

from registry.schemes.handle import parse, prefix_record
from registry.trust import jws
from registry.trust.chain import Terms, TrustRoot
from registry.trust.claims import CertificateClaims, SignatureClaims, decode_claims, encode_claims
from registry.trust.digests import Comparison, compare, digest_values, digests_of
from registry.trust.verification import verify_record
from registry.values.key import decode_public_key
from registry.values.key_objects import load_public_key
from registry.values.value import Value, decode_record, decode_value, encode_record
from tests.support.handle_vectors import case_id, cases

NOW = 1_800_000_000
CASES = cases("trust")
every_case = pytest.mark.parametrize("case", CASES, ids=case_id)


def values_of(case):
    return [decode_value(bytes.fromhex(octets)) for octets in case["values_hex"]]


def tampered(case):
    """As the case says: value 1 changed, value 2 missing, value 9 added."""
    first, _, *others = values_of(case)
    changed = Value(first.index, first.type, b"https://elsewhere.example/")
    return encode_record([changed, *others, Value(9, b"DESC", b"added")])


def verdicts(report):
    """What the library's verifier says, in our words."""
    return Comparison(
        verified=tuple(report["verifiedValues"]),
        bad=tuple(report["badDigestValues"]),
        missing=tuple(report["missingValues"]),
        unsigned=tuple(report["unsignedValues"]),
    )


@every_case
def test_payloads_are_read_and_written_in_the_same_octets(case):
    kinds = {
        "hs_signature": SignatureClaims,
        "hs_cert_prefix": CertificateClaims,
        "hs_cert_root": CertificateClaims,
    }
    for name, kind in kinds.items():
        read = jws.decode(case[name].encode())
        assert read.payload.decode() == case[f"{name}_payload"]
        assert encode_claims(decode_claims(read.payload, kind)) == read.payload


@every_case
def test_signatures_verify_with_the_key_that_made_them_only(case):
    root = load_public_key(bytes.fromhex(case["root_public_key_hex"]))
    prefix = load_public_key(bytes.fromhex(case["prefix_public_key_hex"]))
    signers = {"hs_signature": prefix, "hs_cert_prefix": root, "hs_cert_root": root}
    for name, signer in signers.items():
        read = jws.decode(case[name].encode())
        assert jws.verifies(read, signer)
        assert not jws.verifies(read, prefix if signer is root else root)


@every_case
def test_digests_are_those_of_the_library(case):
    claims = decode_claims(jws.decode(case["hs_signature"].encode()).payload, SignatureClaims)
    record = encode_record(values_of(case))
    assert digests_of(record) == claims.digests
    intact = compare(digest_values(record), claims.digests)
    changed = compare(digest_values(tampered(case)), claims.digests)
    assert intact == verdicts(case["verify_values_report"])
    assert changed == verdicts(case["verify_tampered_report"])


def verify(case, record):
    """The report on a record that also has the case's signature; its certificates are found."""
    root = decode_public_key(bytes.fromhex(case["root_public_key_hex"]))
    signature = Value(400, b"HS_SIGNATURE", case["hs_signature"].encode())
    signed = encode_record([*decode_record(record), signature])
    terms = Terms((TrustRoot(parse("0.0/0.0"), root),), NOW)
    walk = verify_record(parse(case["handle"]), signed, terms)
    assert next(walk) == prefix_record(parse(case["handle"]).prefix)
    assert walk.send(certificate(case["hs_cert_prefix"])) == parse("0.0/0.0")
    with pytest.raises(StopIteration) as done:
        walk.send(certificate(case["hs_cert_root"]))
    return done.value.value


def certificate(text):
    return encode_record([Value(400, b"HS_CERT", text.encode())])


@every_case
def test_the_whole_chain_is_believed(case):
    report = verify(case, encode_record(values_of(case)))
    assert report.trusted
    assert report.values.verified == (1, 2, 100)
    [signature] = report.signatures
    assert signature.chain == (signature.issuer, "300:0.0/0.0")


@every_case
def test_what_was_tampered_with_is_told_apart(case):
    report = verify(case, tampered(case))
    assert not report.trusted
    assert report.signatures[0].trusted
    assert report.values == verdicts(case["verify_tampered_report"])
