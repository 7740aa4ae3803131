"""The members that each kind of body is shown with, and which kind a message has.

Values and sites have the form of the Handle JSON API; octets without such a form are hexadecimal
(`…_hex`).
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
from resolver.codecs.handle.codes import OpCode, ResponseCode

Members = dict[str, object]
Reader = Callable[[bytes], Members]


def request_members(op_code: int, body: bytes) -> Members:
    """The members of a request's body. Raises DecodeError."""
    return _REQUESTS.get(op_code, _octets)(body)


def reply_members(op_code: int, response_code: int, body: bytes) -> Members:
    """The members of a reply's body behind its request digest. Raises DecodeError."""
    if response_code == ResponseCode.SUCCESS:
        return _REPLIES.get(op_code, _octets)(body)
    return _REFUSALS.get(response_code, _error)(body)


def _resolve_request(body: bytes) -> Members:
    handle, indexes, types = resolution.decode_resolve_request(body)
    return {"handle": text_of(handle), "indexes": [*indexes], "types": [text_of(t) for t in types]}


def _handle(body: bytes) -> Members:
    return {"handle": text_of(administration.decode_handle(body))}


def _created(body: bytes) -> Members:
    """The handle that was made; servers from before suffixes were minted send nothing."""
    return _handle(body) if body else {}


def _values_request(body: bytes) -> Members:
    handle, values = administration.decode_values_request(body)
    return {"handle": text_of(handle), "values": _values(values)}


def _remove_request(body: bytes) -> Members:
    handle, indexes = administration.decode_remove_request(body)
    return {"handle": text_of(handle), "indexes": [*indexes]}


def _challenge_answer(body: bytes) -> Members:
    answer = authentication.decode_challenge_answer(body)
    return {
        "auth_type": text_of(answer.auth_type),
        "user_handle": text_of(answer.user_handle),
        "user_index": answer.user_index,
        "signed_response_hex": answer.answer.hex(),
    }


def _verify_request(body: bytes) -> Members:
    request = authentication.decode_verify_request(body)
    return {
        "user_handle": text_of(request.user_handle),
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
        "identity_handle": text_of(setup.identity_handle),
        "identity_index": setup.identity_index,
    }
    if setup.mode == sessions.HANDLE_KEY:
        members["exchange_key_handle"] = text_of(setup.key_handle)
        members["exchange_key_index"] = setup.key_index
    elif setup.mode != sessions.SERVER_KEY:
        members["public_key_hex"] = setup.public_key.hex()
    return members


def _session_key(body: bytes) -> Members:
    return {"encrypted_session_key_hex": sessions.decode_session_key(body).hex()}


def _login(body: bytes) -> Members:
    handle, index = authentication.decode_login(body)
    return {"user_handle": text_of(handle), "user_index": index}


def _resolve_reply(body: bytes) -> Members:
    handle, record = resolution.decode_resolve_reply(body)
    return {"handle": text_of(handle), "values": _values(decode_record(record))}


def _site_info(body: bytes) -> Members:
    try:
        return {"site": site_to_json(decode_site(body))}
    except UnicodeDecodeError as error:
        raise DecodeError("a text of the site is not UTF-8") from error


def _handles(body: bytes) -> Members:
    return {"handles": [text_of(handle) for handle in administration.decode_handles(body)]}


def _verify_reply(body: bytes) -> Members:
    return {"valid": authentication.decode_verify_reply(body)}


def _session_setup_reply(body: bytes) -> Members:
    mode, data = sessions.decode_session_setup_reply(body)
    return {"mode": mode, "data_hex": data.hex()}


def _challenge(body: bytes) -> Members:
    return {"nonce_hex": authentication.decode_challenge(body).hex()}


def _referral(body: bytes) -> Members:
    handle, record = resolution.decode_referral(body)
    members: Members = {"referral_handle": text_of(handle)}
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


def text_of(octets: bytes) -> str:
    """Octets as text for people: what is not UTF-8 is replaced."""
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
