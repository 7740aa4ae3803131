"""Commands of a sector node to the national node, and the replies.

They are those of draft-chen-top-level-interface-protocol-03, an EPP mapping (RFC 5730): its names,
result codes and message queue. The form is the simulator's own, JSON over HTTP; there is no XML.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta, field

from registry.enterprises.enterprise import CertificateType, Form

#: RFC 5730 section 4.2: `trIDStringType`.
Transaction = Annotated[str, Meta(min_length=3, max_length=64)]


class Code(IntEnum):
    """Result codes of RFC 5730 section 3."""

    DONE = 1000
    PENDING = 1001  # carried out once it is audited
    NO_MESSAGES = 1300
    MESSAGE = 1301  # one waits: acknowledge it to see the next
    NOT_AUTHORISED = 2201
    EXISTS = 2302
    DOES_NOT_EXIST = 2303
    PARAMETER = 2306


MESSAGES: Final = {
    Code.DONE: "Command completed successfully",
    Code.PENDING: "Command completed successfully; action pending",
    Code.NO_MESSAGES: "Command completed successfully; no messages",
    Code.MESSAGE: "Command completed successfully; ack to dequeue",
    Code.NOT_AUTHORISED: "Authorization error",
    Code.EXISTS: "Object exists",
    Code.DOES_NOT_EXIST: "Object does not exist",
    Code.PARAMETER: "Parameter value policy error",
}


class _Command(
    msgspec.Struct, frozen=True, tag_field="command", forbid_unknown_fields=True, kw_only=True
):
    transaction: Transaction = field(name="clTRID")


class CheckEnterprise(_Command, tag="check-enterprise", frozen=True):
    """Is an enterprise with this certificate known, and under which number?"""

    certificate_type: CertificateType = field(name="entCrtType")
    certificate_code: str = field(name="entCrtCode")


class CreateEnterprise(_Command, tag="create-enterprise", frozen=True):
    """Make an enterprise known."""

    form: Form = field(name="enterprise")


class UpdateEnterprise(_Command, tag="update-enterprise", frozen=True):
    """Replace what is known of an enterprise."""

    number: str = field(name="entId")
    form: Form = field(name="enterprise")


class CheckPrefix(_Command, tag="check-prefix", frozen=True):
    """May this prefix be created?"""

    prefix: str


class CreatePrefix(_Command, tag="create-prefix", frozen=True):
    """Create a prefix of an enterprise; it is audited before it may be used."""

    prefix: str
    enterprise: str = field(name="entId")


class Poll(_Command, tag="poll", frozen=True):
    """The first message that waits (`req`), or that it was taken in (`ack` with its number)."""

    operation: Literal["req", "ack"] = field(name="op")
    message: int = field(default=0, name="msgID")


Command: TypeAlias = (
    CheckEnterprise | CreateEnterprise | UpdateEnterprise | CheckPrefix | CreatePrefix | Poll
)


class Audited(msgspec.Struct, frozen=True):
    """What the audit of a prefix came to. `result` is 1 where it passed."""

    client_transaction: str = field(name="clTRID")
    enterprise: str = field(name="entId")
    prefix: str
    result: int = field(name="auditResult")
    message: str = field(name="auditResultMsg")
    state: int = 1


class Queue(msgspec.Struct, frozen=True):
    """Messages that wait, and the number of the first."""

    count: int
    number: int = field(name="id")


class Result(msgspec.Struct, frozen=True):
    """How a command ended."""

    code: int
    message: str = field(name="msg")


class Reply(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The reply to a command. `available` answers a check, `enterprise` is its number if known."""

    result: Result
    client_transaction: str = field(name="clTRID")
    server_transaction: str = field(name="svTRID")
    available: bool | None = field(default=None, name="avail")
    enterprise: str = field(default="", name="entId")
    audited: Audited | None = field(default=None, name="panData")
    queue: Queue | None = field(default=None, name="msgQ")

    @property
    def code(self) -> int:
        return self.result.code
