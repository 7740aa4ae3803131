"""Whether somebody holds the key that they name (RFC 3652 section 3.5).

The keys are values of identifiers, HS_SECKEY and HS_PUBKEY. Those of identifiers homed here are
looked at; for others `Elsewhere` asks the nodes that have them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Final, NamedTuple, Protocol

from registry.errors import (
    AuthenticationFailed,
    DecodeError,
    InvalidCredential,
    InvalidIdentifier,
    PrefixNotHomed,
)
from registry.membership import Identity
from registry.schemes.handle import DEFAULT_RULES, HandleRules, Key, parse
from registry.values.key_objects import load_public_key
from registry.values.value import decode_value, scan
from registry.workers import Workers
from resolver.codecs.handle.answers import (
    PUBLIC_KEY,
    SECRET_KEY,
    verify_key_answer,
    verify_secret_answer,
)
from resolver.codecs.handle.bodies.authentication import ChallengeAnswer, VerifyRequest
from resolver.codecs.handle.versions import Version

#: Most keys of one identifier that are tried when an answer names none (index 0).
MAX_KEYS: Final = 8

Check = Callable[[bytes], bool]


class KeyValue(NamedTuple):
    """The data of a key value, and where it is."""

    index: int  # type: ignore[assignment]
    data: bytes


class Elsewhere(Protocol):
    """Asks other nodes about keys of identifiers that are not homed here."""

    async def record(self, key: Key) -> bytes | None:
        """The public values of an identifier, None where there are none.

        Raises AuthenticationUnchecked where nobody can tell, Overloaded.
        """
        ...

    async def vouches(self, request: VerifyRequest, version: Version) -> bool:
        """Whether the node that holds the secret finds the answer right. Raises the same."""
        ...


class Nowhere:
    """`Elsewhere` for a node that knows of no others."""

    async def record(self, key: Key) -> bytes | None:
        return None

    async def vouches(self, request: VerifyRequest, version: Version) -> bool:
        return False


class Verifier:
    """`values` gives the record of an identifier homed here, `homes` whether it would be."""

    def __init__(
        self,
        values: Callable[[Key], Awaitable[bytes | None]],
        homes: Callable[[Key], bool],
        workers: Workers,
        elsewhere: Elsewhere,
        rules: HandleRules = DEFAULT_RULES,
    ) -> None:
        self._values = values
        self._homes = homes
        self._workers = workers
        self._elsewhere = elsewhere
        self._rules = rules

    def claimed(self, answer: ChallengeAnswer) -> Identity:
        """As whom somebody answers. Raises AuthenticationFailed for what is no identifier."""
        return self.identity(answer.user_handle, answer.user_index)

    def identity(self, handle: bytes, index: int) -> Identity:
        """The identity that a handle and an index name. Raises AuthenticationFailed."""
        try:
            return Identity(parse(handle, self._rules), index)
        except InvalidIdentifier:
            raise AuthenticationFailed() from None

    async def verify(
        self, answer: ChallengeAnswer, nonce: bytes, request_digest: bytes, version: Version
    ) -> Identity:
        """Who gave an answer to a challenge, with the index of the very key where it named none.

        `version` is that of the message with the answer. Raises AuthenticationFailed,
        InvalidCredential for an unknown kind of key, AuthenticationUnchecked, Overloaded.
        """
        claimed = self.claimed(answer)
        away = not self._homes(claimed.handle)
        if away and not claimed.index:
            # Who names no key could be anybody; other nodes are not troubled for that.
            raise AuthenticationFailed()
        if answer.auth_type == SECRET_KEY and away:
            request = VerifyRequest(
                answer.user_handle, answer.user_index, nonce, request_digest, answer.answer
            )
            return await self._vouched(claimed, request, version)
        checks: dict[bytes, Check] = {
            SECRET_KEY: lambda secret: verify_secret_answer(
                secret, nonce, request_digest, answer.answer, version
            ),
            PUBLIC_KEY: lambda key: verify_key_answer(
                load_public_key(key), nonce, request_digest, answer.answer
            ),
        }
        if answer.auth_type not in checks:
            raise InvalidCredential()
        return await self.prove(claimed, answer.auth_type, checks[answer.auth_type])

    async def prove(self, claimed: Identity, key_type: bytes, holds: Check) -> Identity:
        """The identity if one of its keys of that type passes the check, which runs in a thread.

        The check takes the key's data and may raise DecodeError, which does not pass. Raises
        AuthenticationFailed, AuthenticationUnchecked, Overloaded.
        """
        for key in await self._keys(claimed, key_type):
            if await self._workers.run(_passes, holds, key.data):
                return Identity(claimed.handle, key.index)
        raise AuthenticationFailed()

    async def vouch(self, request: VerifyRequest, version: Version) -> bool:
        """Whether an answer that another node was given is right for a secret held here.

        Raises PrefixNotHomed where it is held elsewhere, Overloaded.
        """
        claimed = self.identity(request.user_handle, request.user_index)
        if not self._homes(claimed.handle):
            raise PrefixNotHomed(claimed.handle.prefix)

        def holds(secret: bytes) -> bool:
            return verify_secret_answer(
                secret, request.nonce, request.request_digest, request.answer, version
            )

        try:
            await self.prove(claimed, SECRET_KEY, holds)
        except AuthenticationFailed:
            return False
        return True

    async def _vouched(
        self, claimed: Identity, request: VerifyRequest, version: Version
    ) -> Identity:
        if not await self._elsewhere.vouches(request, version):
            raise AuthenticationFailed()
        return claimed

    async def _keys(self, claimed: Identity, key_type: bytes) -> list[KeyValue]:
        if self._homes(claimed.handle):
            record = await self._values(claimed.handle)
        else:
            record = await self._elsewhere.record(claimed.handle)
        return list(_key_values(record, key_type, claimed.index))[:MAX_KEYS]


def _key_values(record: bytes | None, key_type: bytes, index: int) -> Iterator[KeyValue]:
    for span in scan(record) if record is not None else ():
        if span.type.upper() == key_type and index in (0, span.index):
            assert record is not None
            yield KeyValue(span.index, decode_value(record[span.start : span.end]).data)


def _passes(holds: Check, key: bytes) -> bool:
    try:
        return holds(key)
    except DecodeError:
        return False
