"""A message taken apart into JSON, for people who read a captured packet and for tests.

`message` holds the fields of envelope and header, `body` those of the body. Values and sites have
the form of the Handle JSON API; octets without such a form are hexadecimal (`…_hex`).
"""

from __future__ import annotations

from resolver.codecs.handle.bodies.digest import split_digest
from resolver.codecs.handle.bodies.members import (
    Members,
    reply_members,
    request_members,
    text_of,
)
from resolver.codecs.handle.codes import ResponseCode, op_name, response_name
from resolver.codecs.handle.credential import decode_credential
from resolver.codecs.handle.envelope import SIZE, Envelope, decode_envelope
from resolver.codecs.handle.header import RD, flag_names
from resolver.codecs.handle.message import Message, decode_message


def describe_message(data: bytes) -> Members:
    """`message` and `body` of a whole message, and `credential` where it has one.

    `names` gives the words for op code and response code. Of an encrypted message only the
    envelope is shown. Raises DecodeError.
    """
    envelope = decode_envelope(data)
    if envelope.encrypted and envelope.length == len(data) - SIZE:
        return {
            "message": {**_versions(envelope), "encrypted": True},
            "body": {"encrypted_hex": data[SIZE:].hex()},
        }
    message = decode_message(data)
    described: Members = {
        "message": _message(message),
        "body": _body(message),
        "names": {
            "op_code": op_name(message.op_code),
            "response_code": response_name(message.response_code),
        },
    }
    if message.credential:
        described["credential"] = _credential(message.credential)
    return described


def _versions(of: Envelope | Message) -> Members:
    return {
        "major": of.major,
        "minor": of.minor,
        "suggest_major": of.suggest_major,
        "suggest_minor": of.suggest_minor,
        "session_id": of.session_id,
        "request_id": of.request_id,
    }


def _message(message: Message) -> Members:
    return _versions(message) | {
        "op_code": message.op_code,
        "response_code": message.response_code,
        "site_info_serial": message.site_serial,
        "recursion_count": message.recursion_count,
        "expiration": message.expiration,
        "op_flags_set": flag_names(message.op_flags),
    }


def _credential(data: bytes) -> Members:
    credential = decode_credential(data)
    return {
        "type": text_of(credential.type),
        "signer": text_of(credential.signer),
        "session_counter": credential.counter,
        "hash_name": text_of(credential.hash_name),
        "signature_hex": credential.signature.hex(),
    }


def _body(message: Message) -> Members:
    if not message.is_reply:
        return request_members(message.op_code, message.body)
    body = message.body
    digest: Members = {}
    if message.op_flags & RD or message.response_code == ResponseCode.AUTHENTICATION_NEEDED:
        request_digest, body = split_digest(body, message.version)
        digest = {
            "request_digest_hex": request_digest.octets.hex(),
            "request_digest_alg": request_digest.algorithm,
        }
    return reply_members(message.op_code, message.response_code, body) | digest
