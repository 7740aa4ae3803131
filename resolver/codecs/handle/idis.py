"""The dialect of CAICT's clients (ID-SDK): who speaks it, and what nobody else understands."""

from __future__ import annotations

from typing import Final

from resolver.codecs.handle.codes import ResponseCode
from resolver.codecs.handle.message import Message
from resolver.codecs.handle.versions import Version

#: What their requests are written in, and the newest that they read.
_VERSION: Final = Version(2, 3)
_SUGGESTS: Final = Version(2, 10)
#: Codes that no other client knows, by the one that says the same to all of them.
_OTHERWISE: Final[dict[int, int]] = {
    ResponseCode.REQUEST_LIMIT: ResponseCode.SERVER_BUSY,
    ResponseCode.REGISTRATION_LIMIT: ResponseCode.SERVER_BUSY,
    ResponseCode.PREFIX_LIMIT: ResponseCode.SERVER_BUSY,
}


def speaks_idis(request: Message) -> bool:
    """Whether a request comes from such a client, as far as its envelope tells."""
    return request.version == _VERSION and request.suggested_version == _SUGGESTS


def code_otherwise(response_code: int) -> int:
    """The code that says to other clients what this one says to those of CAICT."""
    return _OTHERWISE.get(response_code, response_code)
