"""Decoders of what is stored: values, records, their typed data, keys, signatures, templates."""

from __future__ import annotations

import json
from contextlib import suppress

from registry.errors import DecodeError, InvalidValue
from registry.json_text import read_json
from registry.namespaces.namespace import TemplateReference, namespace_of, read_namespace
from registry.namespaces.patterns import read_pattern
from registry.namespaces.template import Computing, NotComputable, compute
from registry.schemes.handle import Key
from registry.trust import jws
from registry.trust.chain import MAX_LOOKUPS, Terms
from registry.trust.claims import CertificateClaims, SignatureClaims, decode_claims, public_key
from registry.trust.verification import verify_record
from registry.values import admin, key, key_objects, shape, site, site_json, value, vlist
from registry.values.json_form import value_from_json, value_to_json
from resolver.codecs.proxy.locations import Wishes, locations_of
from tests.fuzz.invariants import Target, only, stable
from tests.fuzz.seeds import documents, octets, texts

_NAMESPACES = [
    b'<namespace><template delimiter="@"><value index="1" type="URL" data="${base}:${extension}"/>'
    b'<if value="extension" test="matches" expression="([0-9]{4})-(.*)"><value type="YEAR" '
    b'data="${extension[1]}"/></if><else><notfound/></else><foreach><value data="${data}"/>'
    b'</foreach><def parameter="x"><value type="A" data="b"/></def></template></namespace>',
    b'<namespace><status>inactive</status><template ref="10:88.901/T"/></namespace>',
]
_LOCATIONS = [
    b'<locations chooseby="locatt,country,weighted"><location href="https://a.example/" weight="2"'
    b' country="cn" score="1"/><location href_template="https://b.example/{hdl}"/></locations>'
]
_PATTERNS = [b"([0-9]{4})-(.*)\n2026-1", b"a|b[^x]*(c+)?\nabc"]
_BASE = [value.Value(1, b"URL", b"https://example.org/"), value.Value(2, b"NOTE", b"n")]


def read_record(data: bytes) -> None:
    """A record reads alike as values and as spans."""
    with suppress(DecodeError):
        values = value.decode_record(data)
        spans = list(value.scan(data))
        assert [(each.index, each.type) for each in spans] == [(v.index, v.type) for v in values]
        assert value.join_spans(data, spans) == data
        shape.smallest_ttl(data, 1_800_000_000)


def show_value(data: bytes) -> None:
    """Every value can be shown as JSON, and its JSON be read unless it says why not."""
    with suppress(DecodeError):
        form = value_to_json(value.decode_value(data))
        with suppress(InvalidValue):
            value_from_json(form)


def read_value_form(data: bytes) -> None:
    """A value in JSON is stored and shown as it was read."""
    with suppress(DecodeError, InvalidValue):
        found = value_from_json(read_json(data))
        assert value.decode_value(value.encode_value(found)) == found
        value_to_json(found)


def show_site(data: bytes) -> None:
    """Every site can be shown unless its texts are none."""
    with suppress(DecodeError, UnicodeDecodeError):
        site_json.site_to_json(site.decode_site(data))


def read_certificate(data: bytes) -> None:
    """The key in a certificate can be used, or is refused."""
    with suppress(DecodeError):
        public_key(decode_claims(jws.decode(data).payload, CertificateClaims))


def read_claims(data: bytes) -> None:
    """Claims are read, or refused, whoever signed them."""
    for kind in (SignatureClaims, CertificateClaims):
        with suppress(DecodeError):
            decode_claims(data, kind)


def verify(data: bytes) -> None:
    """A record that vouches for itself with anything gets a verdict."""
    signature = value.Value(400, b"HS_SIGNATURE", data)
    record = value.encode_record([*_BASE, signature])
    certificate = value.encode_record([value.Value(400, b"HS_CERT", data)])
    verifying = verify_record(Key("88.1000", "SIGNED-A"), record, Terms((), 1_800_000_000.0))
    with suppress(StopIteration):
        next(verifying)
        for _ in range(MAX_LOOKUPS):
            verifying.send(certificate)
        raise AssertionError("more is looked up than there is patience for")


def compute_values(data: bytes) -> None:
    """A template that can be read makes values, none, or too many."""
    with suppress(DecodeError, NotComputable):
        for template in read_namespace(data).templates:
            if not isinstance(template, TemplateReference):
                compute(template, Computing(_BASE), "88.901/b@2026-1", "88.901/b", "2026-1")
    namespace_of(value.encode_record([value.Value(1, b"HS_NAMESPACE", data)]))


def match(data: bytes) -> None:
    """A pattern that is taken matches any text in bounded time."""
    expression, _, text = data.decode("utf-8", "replace").partition("\n")
    with suppress(DecodeError):
        read_pattern(expression, True).match(text)


def choose(data: bytes) -> None:
    """Locations are chosen from, or there are none."""
    found = locations_of([value.Value(1, b"10320/loc", data)])
    found.choose(Wishes(("media-type:text/html",), "cn", "192.0.2.1"), lambda: 0.5)
    found.to_xml("88.901/x")


_VALUES = octets("handle_values", "hex")
_SITES = octets("sites", "hex")
_KEYS = octets("public_keys", "handle_binary_hex", "x509_spki_der_hex")
_SIGNED = [text.encode() for text in texts("trust", "hs_signature", "hs_cert_prefix")]

TARGETS = {
    "value": Target(stable(value.decode_value, value.encode_value), _VALUES),
    "value-json": Target(show_value, _VALUES),
    "value-form": Target(
        read_value_form,
        [json.dumps(each["json_api_form"]).encode() for each in documents("handle_values")],
    ),
    "record": Target(read_record, [bytes(3) + b"\x01" + each for each in _VALUES]),
    "site": Target(stable(site.decode_site, site.encode_site), _SITES),
    "site-json": Target(show_site, _SITES),
    "admin": Target(
        stable(admin.decode_admin, admin.encode_admin),
        octets("admin_records", "hex", "legacy_hex"),
    ),
    "vlist": Target(stable(vlist.decode_vlist, vlist.encode_vlist), octets("vlists", "hex")),
    "public-key": Target(stable(key.decode_public_key, key.encode_public_key), _KEYS),
    "key-object": Target(
        stable(key_objects.load_public_key, key_objects.dump_public_key), _KEYS, cost=4
    ),
    "key-file": Target(
        only(key_objects.load_key_file, DecodeError),
        octets("public_keys", "private_key_file_unencrypted_hex"),
        cost=30,
    ),
    "jws": Target(only(jws.decode, DecodeError), _SIGNED),
    "claims": Target(read_claims, [jws.decode(text).payload for text in _SIGNED]),
    "certificate": Target(read_certificate, _SIGNED),
    "signature": Target(verify, _SIGNED),
    "namespace": Target(compute_values, _NAMESPACES),
    "pattern": Target(match, _PATTERNS),
    "locations": Target(choose, _LOCATIONS),
}
