"""Whether a record is as its signers left it: a verdict on each value, and why."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from registry.errors import DecodeError
from registry.schemes.handle import Key
from registry.trust import jws
from registry.trust.chain import MAX_SIGNATURE_CHECKS, Effort, Terms, check_times, climb
from registry.trust.claims import SignatureClaims, ValueName, decode_claims, value_name
from registry.trust.digests import (
    SIGNATURE,
    Comparison,
    Digested,
    ascending,
    compare,
    digest_values,
    ought_to_be_signed,
)
from registry.trust.problems import Problem, Untrusted
from registry.values.value import decode_value, type_matches


@dataclass(frozen=True, slots=True)
class SignatureReport:
    """What became of one HS_SIGNATURE: `problem` is None if it is believed.

    `values` is what its digests say, believed or not; `chain` the subjects of the certificates.
    """

    index: int
    issuer: str = ""
    problem: Problem | None = None
    detail: str = ""
    chain: tuple[str, ...] = ()
    values: Comparison = field(default_factory=Comparison)

    @property
    def trusted(self) -> bool:
        return self.problem is None


@dataclass(frozen=True, slots=True)
class Report:
    """The verdict on a record: `values` over all its signatures, and each of them.

    A value is verified if a signature that is believed has its digest; bad if signatures name it
    and none of those verifies it; missing if one that is believed names it and it is not there;
    unsigned if it ought to be signed and no signature names it.
    """

    values: Comparison
    signatures: tuple[SignatureReport, ...]

    @property
    def trusted(self) -> bool:
        """Whether every value that ought to be signed is verified, and none is missing."""
        wrong = self.values.bad or self.values.missing or self.values.unsigned
        return bool(self.values.verified) and not wrong


#: Yields the identifiers whose records are needed; is sent the record, None where there is none, or
#: is thrown Untrusted where nobody can tell.
Verification: TypeAlias = Generator[Key, bytes | None, Report]
_One: TypeAlias = Generator[Key, bytes | None, SignatureReport]


def verify_record(signed: Key, record: bytes, terms: Terms) -> Verification:
    """Verify the well-formed record of an identifier; the report is the generator's return."""
    values, effort = digest_values(record), Effort()
    reports: list[SignatureReport] = []
    for span, _ in values:
        if type_matches(SIGNATURE, span.type):
            if len(reports) == MAX_SIGNATURE_CHECKS:
                reports.append(SignatureReport(span.index, problem=Problem.TOO_MUCH_WORK))
                break
            text = decode_value(record[span.start : span.end]).data
            report = yield from _verify(text, signed, values, terms, effort)
            reports.append(replace(report, index=span.index))
    return Report(_summary(values, reports), tuple(reports))


def _verify(
    text: bytes, signed: Key, values: Sequence[Digested], terms: Terms, effort: Effort
) -> _One:
    """The report on one signature, whose index is still to be filled in."""
    try:
        signature = jws.decode(text)
        claims = decode_claims(signature.payload, SignatureClaims)
        report = SignatureReport(0, claims.iss, values=compare(values, claims.digests))
        subject = value_name(claims.sub, terms.rules)
    except DecodeError as error:
        return SignatureReport(0, problem=Problem.MALFORMED, detail=error.message)
    try:
        if subject != ValueName(0, signed):
            raise Untrusted(Problem.WRONG_SUBJECT, f"the signature is of {subject}")
        check_times(claims, terms.now)
        chain = yield from climb(signature, claims, signed, terms, effort)
    except Untrusted as failure:
        return replace(report, problem=failure.problem, detail=failure.detail)
    return replace(report, chain=tuple(str(certificate.subject) for certificate in chain))


def _summary(values: Sequence[Digested], reports: Sequence[SignatureReport]) -> Comparison:
    """What all signatures together say. A forged one takes nothing from what another verifies.

    Of two values under one index at most one can be verified, so the index is bad besides.
    """
    believed = [report.values for report in reports if report.trusted]
    named = [report.values for report in reports]
    clean = {index for each in believed for index in set(each.verified) - set(each.bad)}
    touched = {index for each in named for index in (*each.verified, *each.bad)}
    ought = {span.index for span, _ in values if ought_to_be_signed(span)}
    return Comparison(
        verified=ascending(index for each in believed for index in each.verified),
        bad=ascending(touched - clean),
        missing=ascending(index for each in believed for index in each.missing),
        unsigned=ascending(ought - touched),
    )


def report_members(report: Report) -> dict[str, Any]:
    """The report as JSON members."""
    return {
        "trusted": report.trusted,
        **_verdicts(report.values),
        "signatures": [
            {
                "index": one.index,
                "issuer": one.issuer,
                "trusted": one.trusted,
                "problem": one.problem,
                "detail": one.detail,
                "chain": one.chain,
                **_verdicts(one.values),
            }
            for one in report.signatures
        ],
    }


def _verdicts(values: Comparison) -> dict[str, tuple[int, ...]]:
    return {
        "verified": values.verified,
        "bad": values.bad,
        "missing": values.missing,
        "unsigned": values.unsigned,
    }
