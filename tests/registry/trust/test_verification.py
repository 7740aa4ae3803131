"""Each way to deceive a verifier, and the word by which it is told apart from the others."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from registry.schemes.handle import HandleRules, parse, prefix_record
from registry.trust import jws
from registry.trust.chain import MAX_CHAIN, MAX_LOOKUPS, MAX_SIGNATURE_CHECKS, Terms, TrustRoot
from registry.trust.claims import Permission, SignatureClaims, decode_claims, encode_claims
from registry.trust.digests import Comparison
from registry.trust.permissions import DERIVED_PREFIXES, THIS_HANDLE, prefix_permissions
from registry.trust.problems import Problem
from registry.trust.signing import VALIDITY
from registry.trust.verification import report_members, verify_record
from registry.values.key_objects import public_numbers
from registry.values.value import Value, decode_record, encode_record
from tests.support.trust import BOTTLE, NOW, ROOT, World, key_pair, signer

VALUES = [Value(1, b"URL", b"https://example.org/1"), Value(2, b"DESC", "白酒".encode())]
SECRET = Value(300, b"HS_SECKEY", b"secret", permissions=0b1100)


@pytest.fixture
def world() -> World:
    return World("88", "88.901")


def signed(prefix: str = "88.901", values=VALUES, now: int = NOW, key=None, of=BOTTLE) -> bytes:
    return signer(prefix, key).sealed(of, encode_record(values), now)


def with_claims(record: bytes, **changed: object) -> bytes:
    """The record with its signature made anew over other claims, by the same key."""
    *others, last = decode_record(record)
    claims = decode_claims(jws.decode(last.data).payload, SignatureClaims)
    members = {**json.loads(encode_claims(claims)), **changed}
    payload = json.dumps(members).encode()
    data = jws.sign(payload, key_pair("88.901"))
    return encode_record([*others, Value(last.index, last.type, data)])


def problem(report) -> Problem | None:
    [only] = report.signatures
    return only.problem


def test_an_honest_record_is_verified(world):
    report = world.verify(BOTTLE, signed())
    assert report.trusted
    assert report.values == Comparison(verified=(1, 2))
    [signature] = report.signatures
    assert signature.chain == ("300:0.NA/88.901", "300:0.NA/88", "300:0.0/0.0")
    assert world.asked == [prefix_record("88.901"), prefix_record("88"), ROOT]


def test_timestamps_and_secrets_are_not_signed(world):
    record = signed(values=[*VALUES, SECRET])
    dated = [replace(value, timestamp=5) for value in decode_record(record)]
    report = world.verify(BOTTLE, encode_record(dated))
    assert report.trusted
    assert report.values.verified == (1, 2)
    assert world.verify(BOTTLE, record).values.unsigned == ()


def test_a_dsa_key_signs_too(world):
    world.certify("88", "88.901", key="dsa")
    assert world.verify(BOTTLE, signed(key="dsa")).trusted


# --- values ---


def test_a_changed_value_is_bad(world):
    first, *others = decode_record(signed())
    forged = [Value(1, b"URL", b"https://elsewhere.example"), *others]
    report = world.verify(BOTTLE, encode_record(forged))
    assert (report.trusted, problem(report)) == (False, None)
    assert report.values == Comparison(verified=(2,), bad=(1,))
    assert first.index == 1


@pytest.mark.parametrize(
    "changed",
    [
        Value(1, b"EMAIL", VALUES[0].data),
        Value(1, b"URL", VALUES[0].data, ttl=1),
        Value(1, b"URL", VALUES[0].data, permissions=0b1111),
    ],
)
def test_type_ttl_and_permissions_are_signed(world, changed):
    report = world.verify(BOTTLE, encode_record([changed, *decode_record(signed())[1:]]))
    assert report.values.bad == (1,)


def test_two_values_that_changed_places_are_bad(world):
    one, two, signature = decode_record(signed())
    swapped = [Value(2, one.type, one.data), Value(1, two.type, two.data), signature]
    assert world.verify(BOTTLE, encode_record(swapped)).values == Comparison(bad=(1, 2))


def test_swapped_digests_break_the_signature(world):
    *values, signature = decode_record(signed())
    header, payload, made = signature.data.split(b".")
    claims = json.loads(base64.urlsafe_b64decode(payload + b"=="))
    one, two = claims["digests"]["digests"]
    one["digest"], two["digest"] = two["digest"], one["digest"]
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=")
    forged = Value(400, b"HS_SIGNATURE", b".".join((header, payload, made)))
    report = world.verify(BOTTLE, encode_record([*values, forged]))
    assert problem(report) is Problem.BAD_SIGNATURE
    assert report.values == Comparison(bad=(1, 2))


def test_a_missing_and_an_added_value_are_told_apart(world):
    one, _, signature = decode_record(signed())
    report = world.verify(BOTTLE, encode_record([one, Value(9, b"URL", b"x"), signature]))
    assert not report.trusted
    assert report.values == Comparison(verified=(1,), missing=(2,), unsigned=(9,))


def test_a_second_value_under_a_signed_index_is_bad(world):
    record = encode_record([*decode_record(signed()), Value(1, b"URL", b"https://else.example")])
    report = world.verify(BOTTLE, record)
    assert not report.trusted
    assert 1 in report.values.bad


def test_a_record_without_signature_is_unsigned(world):
    report = world.verify(BOTTLE, encode_record(VALUES))
    assert not report.trusted
    assert report.values == Comparison(unsigned=(1, 2))
    assert world.asked == []


def test_a_forged_signature_takes_nothing_from_a_good_one(world):
    forged = Value(401, b"HS_SIGNATURE", b"nothing")
    report = world.verify(BOTTLE, encode_record([*decode_record(signed()), forged]))
    assert report.trusted
    assert [one.problem for one in report.signatures] == [None, Problem.MALFORMED]


# --- claims ---


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (NOW + VALIDITY, None),
        (NOW + VALIDITY + 1, Problem.EXPIRED),
        (NOW - 86_400, None),
        (NOW - 86_401, Problem.NOT_YET_VALID),
    ],
)
def test_times_of_the_signature(world, now, expected):
    assert problem(world.verify(BOTTLE, signed(), now)) is expected


@pytest.mark.parametrize(
    ("made", "expected"),
    [(NOW - VALIDITY - 1, Problem.EXPIRED), (NOW + 86_401, Problem.NOT_YET_VALID)],
)
@pytest.mark.parametrize("prefix", ["88", "88.901"])
def test_times_of_a_certificate(world, prefix, made, expected):
    world.certify("" if prefix == "88" else "88", prefix, now=made)
    assert problem(world.verify(BOTTLE, signed())) is expected


def test_a_signature_of_another_identifier(world):
    elsewhere = signed(of=parse("88.901.7/BOT-2"))
    assert problem(world.verify(BOTTLE, elsewhere)) is Problem.WRONG_SUBJECT


def test_case_of_a_suffix_matters_where_the_rules_say_so(world):
    rules = HandleRules(case_sensitive_suffix=True)
    record = signed(of=parse("88.901.7/bot", rules))
    terms = Terms(world.roots, NOW, rules)
    with pytest.raises(StopIteration) as done:
        next(verify_record(parse("88.901.7/BOT", rules), record, terms))
    assert problem(done.value.value) is Problem.WRONG_SUBJECT
    assert next(verify_record(parse("88.901.7/bot", rules), record, terms))


@pytest.mark.parametrize(
    "changed",
    [
        {"digests": {"alg": "MD5", "digests": []}},
        {"digests": {"alg": "SHA-256", "digests": [{"index": 1, "digest": ""}] * 2}},
        {"sub": "/"},
        {"iss": "/"},
        {"chain": ["/"]},
        {"exp": "tomorrow"},
    ],
    ids=str,
)
def test_claims_of_no_use(world, changed):
    assert problem(world.verify(BOTTLE, with_claims(signed(), **changed))) is Problem.MALFORMED


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS512"])
def test_an_algorithm_that_is_not_accepted(world, algorithm):
    *values, signature = decode_record(signed())
    header = base64.urlsafe_b64encode(b'{"alg":"%s"}' % algorithm.encode()).rstrip(b"=")
    _, payload, made = signature.data.split(b".")
    made = b"" if algorithm == "none" else made
    forged = Value(400, b"HS_SIGNATURE", b".".join((header, payload, made)))
    assert problem(world.verify(BOTTLE, encode_record([*values, forged]))) is Problem.MALFORMED


# --- signers ---


def test_an_algorithm_that_is_not_the_key_s(world):
    assert problem(world.verify(BOTTLE, signed(key="dsa"))) is Problem.WRONG_ALGORITHM


def test_a_key_that_is_not_the_issuer_s(world):
    assert problem(world.verify(BOTTLE, signed(key="stolen"))) is Problem.BAD_SIGNATURE


def test_an_issuer_without_certificate(world):
    assert problem(world.verify(BOTTLE, signed("88.902"))) is Problem.NO_CERTIFICATE


def test_a_certificate_about_somebody_else(world):
    world.records[prefix_record("88.902")] = world.records[prefix_record("88.901")]
    assert problem(world.verify(BOTTLE, signed("88.902"))) is Problem.NO_CERTIFICATE


def test_a_certified_signer_of_another_prefix(world):
    world.certify("88", "88.902")
    report = world.verify(BOTTLE, signed("88.902"))
    assert problem(report) is Problem.NOT_PERMITTED
    assert report.values.bad == (1, 2)


@pytest.mark.parametrize("perm", [THIS_HANDLE, "handlesUnderThisPrefix"])
def test_a_permission_that_does_not_reach(world, perm):
    world.certify("88", "88.901", (Permission(perm=perm, handle="0.NA/88.901"),))
    assert problem(world.verify(BOTTLE, signed())) is Problem.NOT_PERMITTED


def test_a_permission_that_its_giver_does_not_have(world):
    world.certify("", "88", (Permission(perm=DERIVED_PREFIXES, handle="0.NA/88.902"),))
    assert problem(world.verify(BOTTLE, signed())) is Problem.NOT_PERMITTED


# --- chains ---


def test_a_root_that_nobody_knows(world):
    world.roots = (TrustRoot(ROOT, public_numbers(key_pair("other").public_key())),)
    assert problem(world.verify(BOTTLE, signed())) is Problem.UNTRUSTED_ROOT


def test_a_self_issued_certificate_below_the_root(world):
    world.certify("88.901", "88.901")
    assert problem(world.verify(BOTTLE, signed())) is Problem.UNTRUSTED_ROOT


def test_a_root_certificate_that_the_root_did_not_sign(world):
    [value] = decode_record(world.records[ROOT])
    forged = jws.sign(jws.decode(value.data).payload, key_pair("other"))
    world.put(ROOT, [Value(400, b"HS_CERT", forged)])
    assert problem(world.verify(BOTTLE, signed())) is Problem.BAD_SIGNATURE


def test_a_root_of_another_name():
    """A hierarchy may have its trust root elsewhere."""
    world = World("88", "88.901")
    assert not world.verify(BOTTLE, signed(), NOW).signatures[0].problem
    world.roots = (TrustRoot(parse("88.111.1/0.0"), world.roots[0].public_key),)
    assert problem(world.verify(BOTTLE, signed())) is Problem.UNTRUSTED_ROOT


def test_a_chain_that_goes_in_a_circle(world):
    world.certify("88.901", "88", prefix_permissions("88"))
    assert problem(world.verify(BOTTLE, signed())) is Problem.LOOP


@pytest.mark.parametrize("length", [MAX_CHAIN, MAX_CHAIN + 1])
def test_the_length_of_a_chain(length):
    """`length` certificates, the root's among them."""
    prefixes = ["88", "88.901"]
    while len(prefixes) < length - 1:
        prefixes.append(f"{prefixes[-1]}.1")
    world = World(*prefixes)
    identifier = parse(f"{prefixes[-1]}/X")
    report = world.verify(identifier, signed(prefixes[-1], of=identifier))
    assert problem(report) is (None if length == MAX_CHAIN else Problem.CHAIN_TOO_LONG)


def test_the_latest_certificates_are_tried_first(world):
    """Where only the record is named: two of them, so a third, older one is not found."""
    name = prefix_record("88.901")
    good = decode_record(world.records[name])[0].data
    others = []
    for age, key in enumerate(("a", "b"), 1):
        world.certify("88", "88.901", now=NOW + age, key=key)
        others.append(decode_record(world.records[name])[0].data)
    record = with_claims(signed(), chain=[])
    for certificates, expected in (([good], None), ([good, others[0]], None)):
        world.put(name, [Value(400 + i, b"HS_CERT", c) for i, c in enumerate(certificates)])
        assert problem(world.verify(BOTTLE, record)) is expected
    world.put(name, [Value(400 + i, b"HS_CERT", c) for i, c in enumerate([good, *others])])
    assert problem(world.verify(BOTTLE, record)) is Problem.BAD_SIGNATURE


def test_a_chain_may_name_all_places(world):
    world.records[parse("88/CERTS")] = encode_record(
        [Value(7, b"HS_CERT", decode_record(world.records[prefix_record("88")])[0].data)]
    )
    record = with_claims(signed(), chain=["400:0.NA/88.901", "7:88/certs"])
    assert world.verify(BOTTLE, record).trusted
    assert world.asked == [prefix_record("88.901"), parse("88/CERTS"), ROOT]


def test_other_values_beside_a_certificate_are_passed_over(world):
    name = prefix_record("88.901")
    rubbish = [Value(7, b"HS_CERT", b"rubbish"), Value(8, b"URL", b"x")]
    world.put(name, [*rubbish, *decode_record(world.records[name])])
    assert world.verify(BOTTLE, with_claims(signed(), chain=["0.NA/88.901"])).trusted
    assert not world.verify(BOTTLE, with_claims(signed(), chain=["7:0.NA/88.901"])).trusted


# --- bounds ---


def forged_signatures(count: int) -> list[Value]:
    return [
        Value(500 + i, b"HS_SIGNATURE", signer("88.901", "x").sign(BOTTLE, signed(), NOW + i))
        for i in range(count)
    ]


def test_only_so_many_signatures_are_looked_at(world):
    *values, good = decode_record(signed())
    forged = forged_signatures(MAX_SIGNATURE_CHECKS)
    report = world.verify(BOTTLE, encode_record([*values, *forged, good]))
    assert [one.problem for one in report.signatures] == [
        *[Problem.BAD_SIGNATURE] * MAX_SIGNATURE_CHECKS,
        Problem.TOO_MUCH_WORK,
    ]
    assert not report.trusted


def test_only_so_many_signatures_are_checked(world):
    """The chain of the honest one costs four: it, two certificates, and the root's of itself."""
    *values, good = decode_record(signed())
    for count, trusted in ((4, True), (5, False)):
        report = world.verify(BOTTLE, encode_record([*values, *forged_signatures(count), good]))
        assert report.trusted is trusted
        expected = None if trusted else Problem.TOO_MUCH_WORK
        assert report.signatures[-1].problem is expected


def test_many_places_cost_a_bounded_number_of_lookups(world):
    *values, _ = decode_record(signed())
    record = values
    for i in range(MAX_LOOKUPS + 1):
        forged = with_claims(signed(), iss=f"300:88.901/KEY{i}", chain=[])
        record = [*record, Value(500 + i, b"HS_SIGNATURE", decode_record(forged)[-1].data)]
    world.verify(BOTTLE, encode_record(record))
    assert len(world.asked) == MAX_LOOKUPS


def test_nothing_is_looked_up_or_checked_twice(world):
    *values, good = decode_record(signed())
    again = Value(401, good.type, good.data)
    assert world.verify(BOTTLE, encode_record([*values, good, again])).trusted
    assert len(world.asked) == 3


def test_the_report_as_json(world):
    members = json.loads(json.dumps(report_members(world.verify(BOTTLE, signed()))))
    [signature] = members.pop("signatures")
    assert members == {
        "trusted": True,
        "verified": [1, 2],
        "bad": [],
        "missing": [],
        "unsigned": [],
    }
    assert (signature["index"], signature["problem"]) == (400, None)
