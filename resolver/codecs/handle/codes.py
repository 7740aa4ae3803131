"""Op codes and response codes: RFC 3652 sections 2.2.1 and 2.2.2 as protocol 2.11 numbers them.

The codes of the CAICT clients (2000, 2001, 407, 408, 603-605, 3001) are included.
"""

from __future__ import annotations

from enum import IntEnum


class OpCode(IntEnum):
    """What a request asks for; replies repeat it."""

    RESOLVE = 1
    SITE_INFO = 2
    CREATE_HANDLE = 100
    DELETE_HANDLE = 101
    ADD_VALUES = 102
    REMOVE_VALUES = 103
    MODIFY_VALUES = 104
    LIST_HANDLES = 105
    CHALLENGE_ANSWER = 200
    VERIFY_CHALLENGE = 201
    HOME_PREFIX = 300
    UNHOME_PREFIX = 301
    LIST_HOMED_PREFIXES = 302
    SESSION_SETUP = 400
    SESSION_END = 401
    SESSION_KEY = 402
    NEXT_TRANSACTION = 1000
    RETRIEVE_TRANSACTIONS = 1001
    DUMP_HANDLES = 1002
    BACKUP_SERVER = 1003
    IDIS_LOGIN_PASSWORD = 2000
    IDIS_LOGIN_KEY = 2001


class ResponseCode(IntEnum):
    """How a request ended; 0 marks a message as a request."""

    REQUEST = 0
    SUCCESS = 1
    ERROR = 2
    SERVER_BUSY = 3
    PROTOCOL_ERROR = 4
    OPERATION_NOT_SUPPORTED = 5
    RECURSION_LIMIT = 6
    SERVER_BACKUP = 7
    HANDLE_NOT_FOUND = 100
    HANDLE_EXISTS = 101
    INVALID_HANDLE = 102
    VALUES_NOT_FOUND = 200
    VALUE_EXISTS = 201
    INVALID_VALUE = 202
    OUT_OF_DATE_SITE = 300
    NOT_RESPONSIBLE = 301
    SERVICE_REFERRAL = 302
    PREFIX_REFERRAL = 303
    INVALID_ADMIN = 400
    INSUFFICIENT_PERMISSION = 401
    AUTHENTICATION_NEEDED = 402
    AUTHENTICATION_FAILED = 403
    INVALID_CREDENTIAL = 404
    AUTHENTICATION_TIMEOUT = 405
    AUTHENTICATION_ERROR = 406
    ALREADY_LOGGED_IN = 407
    LOGIN_NEEDED = 408
    SESSION_TIMEOUT = 500
    SESSION_FAILED = 501
    INVALID_SESSION_KEY = 502
    RSA_KEY_NEEDED = 503
    INVALID_SESSION_SETUP = 504
    MESSAGE_REJECTED = 505
    REQUEST_LIMIT = 603
    REGISTRATION_LIMIT = 604
    PREFIX_LIMIT = 605
    CREDENTIAL_CHECK_FAILED = 3001


#: Op codes that change something or need an administrator: never answered on a query-only
#: interface.
ADMINISTRATION: frozenset[int] = frozenset(
    {
        OpCode.CREATE_HANDLE,
        OpCode.DELETE_HANDLE,
        OpCode.ADD_VALUES,
        OpCode.REMOVE_VALUES,
        OpCode.MODIFY_VALUES,
        OpCode.LIST_HANDLES,
        OpCode.HOME_PREFIX,
        OpCode.UNHOME_PREFIX,
        OpCode.LIST_HOMED_PREFIXES,
    }
)


def op_name(code: int) -> str:
    """The word for an op code, its number where there is none."""
    return OpCode(code).name.lower() if code in OpCode.__members__.values() else str(code)


def response_name(code: int) -> str:
    """The word for a response code, its number where there is none."""
    known = code in ResponseCode.__members__.values()
    return ResponseCode(code).name.lower() if known else str(code)
