"""A message taken apart into JSON, for people who read a captured packet and for tests.

`message` holds the fields of envelope and header, `body` those of the body. Values and sites have
the form of the Handle JSON API; octets without such a form are hexadecimal (`…_hex`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from registry.errors import DecodeError
from registry.values.json_form import value_to_json
from registry.values.site import decode_site
from registry.values.site_json import site_to_json
from registry.values.value import Value, decode_record
from resolver.codecs.handle.bodies import administration, authentication, resolution, sessions
from resolver.codecs.handle.bodies.digest import split_digest
from resolver.codecs.handle.codes import OpCode, ResponseCode, op_name, response_name
from resolver.codecs.handle.credential import decode_credential
from resolver.codecs.handle.envelope import SIZE, Envelope, decode_envelope
from resolver.codecs.handle.header import RD, flag_names
from resolver.codecs.handle.message import Message, decode_message

Members = dict[str, object]
Reader = Callable[[bytes], Members]


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
        "type": _text(credential.type),
        "signer": _text(credential.signer),
        "session_counter": credential.counter,
        "hash_name": _text(credential.hash_name),
        "signature_hex": credential.signature.hex(),
    }


def _body(message: Message) -> Members:
    if not message.is_reply:
        return _REQUESTS.get(message.op_code, _octets)(message.body)
    body = message.body
    digest: Members = {}
    if message.op_flags & RD or message.response_code == ResponseCode.AUTHENTICATION_NEEDED:
        request_digest, body = split_digest(body, message.version)
        digest = {
            "request_digest_hex": request_digest.octets.hex(),
            "request_digest_alg": request_digest.algorithm,
        }
    return _reply_reader(message)(body) | digest


def _reply_reader(message: Message) -> Reader:
    if message.response_code == ResponseCode.SUCCESS:
        return _REPLIES.get(message.op_code, _octets)
    return _REFUSALS.get(message.response_code, _error)


def _resolve_request(body: bytes) -> Members:
    handle, indexes, types = resolution.decode_resolve_request(body)
    return {"handle": _text(handle), "indexes": [*indexes], "types": [_text(t) for t in types]}


def _handle(body: bytes) -> Members:
    return {"handle": _text(administration.decode_handle(body))}


def _created(body: bytes) -> Members:
    """The handle that was made; servers from before suffixes were minted send nothing."""
    return _handle(body) if body else {}


def _values_request(body: bytes) -> Members:
    handle, values = administration.decode_values_request(body)
    return {"handle": _text(handle), "values": _values(values)}


def _remove_request(body: bytes) -> Members:
    handle, indexes = administration.decode_remove_request(body)
    return {"handle": _text(handle), "indexes": [*indexes]}


def _challenge_answer(body: bytes) -> Members:
    answer = authentication.decode_challenge_answer(body)
    return {
        "auth_type": _text(answer.auth_type),
        "user_handle": _text(answer.user_handle),
        "user_index": answer.user_index,
        "signed_response_hex": answer.answer.hex(),
    }


def _verify_request(body: bytes) -> Members:
    request = authentication.decode_verify_request(body)
    return {
        "user_handle": _text(request.user_handle),
        "user_index": request.user_index,
        "nonce_hex": request.nonce.hex(),
        "request_digest_hex": request.request_digest.hex(),
        "signed_response_hex": request.answer.hex(),
    }


def _session_setup(body: bytes) -> Members:
    setup = sessions.decode_session_setup(body)
    members: Members = {
        "mode": setup.mode,
        "timeout": setup.timeout,
        "identity_handle": _text(setup.identity_handle),
        "identity_index": setup.identity_index,
    }
    if setup.mode == sessions.HANDLE_KEY:
        members["exchange_key_handle"] = _text(setup.key_handle)
        members["exchange_key_index"] = setup.key_index
    elif setup.mode != sessions.SERVER_KEY:
        members["public_key_hex"] = setup.public_key.hex()
    return members


def _session_key(body: bytes) -> Members:
    return {"encrypted_session_key_hex": sessions.decode_session_key(body).hex()}


def _login(body: bytes) -> Members:
    handle, index = authentication.decode_login(body)
    return {"user_handle": _text(handle), "user_index": index}


def _resolve_reply(body: bytes) -> Members:
    handle, record = resolution.decode_resolve_reply(body)
    return {"handle": _text(handle), "values": _values(decode_record(record))}


def _site_info(body: bytes) -> Members:
    try:
        return {"site": site_to_json(decode_site(body))}
    except UnicodeDecodeError as error:
        raise DecodeError("a text of the site is not UTF-8") from error


def _handles(body: bytes) -> Members:
    return {"handles": [_text(handle) for handle in administration.decode_handles(body)]}


def _verify_reply(body: bytes) -> Members:
    return {"valid": authentication.decode_verify_reply(body)}


def _session_setup_reply(body: bytes) -> Members:
    mode, data = sessions.decode_session_setup_reply(body)
    return {"mode": mode, "data_hex": data.hex()}


def _challenge(body: bytes) -> Members:
    return {"nonce_hex": authentication.decode_challenge(body).hex()}


def _referral(body: bytes) -> Members:
    handle, record = resolution.decode_referral(body)
    members: Members = {"referral_handle": _text(handle)}
    if record is not None:
        members["values"] = _values(decode_record(record))
    return members


def _error(body: bytes) -> Members:
    text = resolution.decode_error(body)
    return {"error_message": text} if text else {}


def _octets(body: bytes) -> Members:
    """A body of a kind that is not known, or an empty one."""
    return {"body_hex": body.hex()} if body else {}


def _values(values: tuple[Value, ...]) -> list[Members]:
    return [value_to_json(value) for value in values]


def _text(octets: bytes) -> str:
    return octets.decode(errors="replace")


_REQUESTS: Final[dict[int, Reader]] = {
    OpCode.RESOLVE: _resolve_request,
    OpCode.SITE_INFO: _handle,
    OpCode.CREATE_HANDLE: _values_request,
    OpCode.DELETE_HANDLE: _handle,
    OpCode.ADD_VALUES: _values_request,
    OpCode.REMOVE_VALUES: _remove_request,
    OpCode.MODIFY_VALUES: _values_request,
    OpCode.LIST_HANDLES: _handle,
    OpCode.CHALLENGE_ANSWER: _challenge_answer,
    OpCode.VERIFY_CHALLENGE: _verify_request,
    OpCode.HOME_PREFIX: _handle,
    OpCode.UNHOME_PREFIX: _handle,
    OpCode.LIST_HOMED_PREFIXES: _handle,
    OpCode.SESSION_SETUP: _session_setup,
    OpCode.SESSION_END: _handle,
    OpCode.SESSION_KEY: _session_key,
    OpCode.NEXT_TRANSACTION: _handle,
    OpCode.IDIS_LOGIN_KEY: _login,
}
_REPLIES: Final[dict[int, Reader]] = {
    OpCode.RESOLVE: _resolve_reply,
    OpCode.SITE_INFO: _site_info,
    OpCode.CREATE_HANDLE: _created,
    OpCode.LIST_HANDLES: _handles,
    OpCode.LIST_HOMED_PREFIXES: _handles,
    OpCode.VERIFY_CHALLENGE: _verify_reply,
    OpCode.SESSION_SETUP: _session_setup_reply,
}
_REFUSALS: Final[dict[int, Reader]] = {
    ResponseCode.SERVICE_REFERRAL: _referral,
    ResponseCode.PREFIX_REFERRAL: _referral,
    ResponseCode.AUTHENTICATION_NEEDED: _challenge,
}
