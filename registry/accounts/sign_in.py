"""Logging in: a password, or the answer to a challenge, for a token that ends.

Whatever is wrong (no such account, another password, a disabled account) gets the same refusal
after the same work.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec

from registry.accounts.account import (
    KEY_ID,
    Account,
    AccountKey,
    AnsweredChallenge,
    Token,
    is_username,
    issue_token,
)
from registry.accounts.attempts import Attempts
from registry.accounts.challenges import Challenge, Challenges, signed_text
from registry.accounts.keys import read_key, signature_holds
from registry.accounts.office import AccountOffice
from registry.accounts.passwords import Passwords
from registry.audit.ledger import Ledger
from registry.audit.log import Actor
from registry.clock import Clock
from registry.errors import (
    AuthenticationFailed,
    ChallengeExpired,
    InvalidCredential,
    TooManyAttempts,
)
from registry.storage.interface import Reads
from registry.workers import Workers

#: Seconds for which a token from a log-in is valid.
TOKEN_LIFETIME: Final = 24 * 3600
#: Signature checks under way and waiting, at 0.1 ms each.
MAX_WAITING: Final = 256
#: Seconds that the refusal of one attempt too many is held back, and how many are held at once: who
#: floods a node over some connections gets that many answers from each, and costs it nothing else.
HOLD_SECONDS: Final = 1.0
MAX_HELD: Final = 512
_WRONG: Final = "these credentials open no account"


class Source(NamedTuple):
    """Where a log-in comes from: the address, and the origin for the audit log."""

    address: str
    origin: str


class LoggedIn(NamedTuple):
    """A new token, and the token in the clear."""

    token: Token
    secret: str


class SignIn:
    """The log-ins of one node; closed by `close`, and what is given to it by whoever made it."""

    def __init__(
        self,
        ledger: Ledger,
        reads: Reads,
        clock: Clock,
        passwords: Passwords,
        challenges: Challenges,
        attempts: Attempts | None = None,
        hold_seconds: float = HOLD_SECONDS,
    ) -> None:
        self._ledger = ledger
        self._reads = reads
        self._clock = clock
        self._passwords = passwords
        self._challenges = challenges
        self._attempts = attempts or Attempts(clock)
        self._hold_seconds = hold_seconds
        self._held = 0
        self._verifying = Workers("signatures", max_waiting=MAX_WAITING)
        #: The key to check with where there is none under the name given.
        self._nobody = ec.generate_private_key(ec.SECP256R1()).public_key()

    def close(self) -> None:
        self._verifying.close()

    @property
    def node(self) -> str:
        """The node whose name challenges are answered with."""
        return self._challenges.node

    def challenge(self, key_id: str) -> Challenge:
        """A challenge for a key, whether there is such a key or not."""
        return self._challenges.make(key_id, self._now)

    async def by_password(self, username: str, password: str, source: Source) -> LoggedIn:
        """Log in. Raises TooManyAttempts, AuthenticationFailed, Overloaded."""
        await self._take(source, username)
        account = await self._account(username)
        stored = None if account is None else account.password_digest
        if not await self._passwords.holds(password, stored):
            raise AuthenticationFailed(_WRONG)
        admitted = await self._admit(account, source, "log-in")
        self._attempts.give_back(source.address, username)
        return admitted

    async def confirm(self, account: Account, password: str, source: Source) -> None:
        """Check the password of somebody who is logged in. Raises what `by_password` does."""
        await self._take(source, account.username)
        if not await self._passwords.holds(password, account.password_digest):
            raise AuthenticationFailed("the old password is wrong")
        self._attempts.give_back(source.address, account.username)

    async def by_daily_digest(
        self, username: str, proof: str, days: Sequence[str], source: Source
    ) -> LoggedIn:
        """Log in with the SHA-256, in hexadecimal, of that of the password and the day behind it.

        Only a generated password is kept in a form that this can be checked with. Raises
        TooManyAttempts, AuthenticationFailed.
        """
        await self._take(source, username)
        account = await self._account(username)
        kept = b"" if account is None else account.password_digest
        wanted = [hashlib.sha256((kept.hex() + day).encode()).hexdigest() for day in days]
        given = proof.lower().encode("utf-8", "surrogatepass")
        holds = any(hmac.compare_digest(each.encode(), given) for each in wanted)
        if len(kept) != hashlib.sha256().digest_size or not holds:
            raise AuthenticationFailed(_WRONG)
        admitted = await self._admit(account, source, "log-in")
        self._attempts.give_back(source.address, username)
        return admitted

    async def by_key(self, key_id: str, nonce: str, signature: str, source: Source) -> LoggedIn:
        """Log in with the answer to a challenge, `signature` in Base64.

        Raises TooManyAttempts, InvalidCredential, ChallengeExpired (also for a second answer),
        AuthenticationFailed, Overloaded.
        """
        await self._take(source, key_id)
        expires = self._challenges.check(key_id, nonce, self._now)
        key = await self._key(key_id)
        public = self._nobody if key is None else read_key(key.public_key)
        signed = signed_text(self.node, key_id, nonce)
        holds = await self._verifying.run(signature_holds, public, _decoded(signature), signed)
        if key is None or not holds:
            raise AuthenticationFailed(_WRONG)
        answered = AnsweredChallenge(nonce.encode(), expires)
        admitted = await self._admit(
            await self._account(key.username), source, f"key {key.label}".rstrip(), answered
        )
        self._attempts.give_back(source.address, key_id)
        return admitted

    async def _take(self, source: Source, name: str) -> None:
        """Use up an attempt; a refusal is held back for a while."""
        try:
            self._attempts.take(source.address, name)
        except TooManyAttempts:
            if self._held < MAX_HELD:
                self._held += 1
                try:
                    await asyncio.sleep(self._hold_seconds)
                finally:
                    self._held -= 1
            raise

    async def _account(self, username: str) -> Account | None:
        if not is_username(username):
            return None
        found = await self._reads.dossiers(Account, username=username)
        return found[0] if found else None

    async def _key(self, key_id: str) -> AccountKey | None:
        if not KEY_ID.fullmatch(key_id):
            return None
        found = await self._reads.dossiers(AccountKey, id=key_id)
        return found[0] if found else None

    async def _admit(
        self,
        account: Account | None,
        source: Source,
        label: str,
        answered: AnsweredChallenge | None = None,
    ) -> LoggedIn:
        """Give out a token, unless the account has changed meanwhile."""
        if account is None or account.disabled:
            raise AuthenticationFailed(_WRONG)
        now = self._now
        token, secret = issue_token(account.username, label, now=now, expires=now + TOKEN_LIFETIME)
        async with self._ledger.begin() as writing:
            transaction = writing.transaction
            await transaction.forget_tokens(now)
            if await transaction.dossiers(Account, username=account.username) != [account]:
                raise AuthenticationFailed(_WRONG)
            if answered is not None:
                if await transaction.dossiers(AnsweredChallenge, nonce=answered.nonce):
                    raise ChallengeExpired("the challenge was answered before")
                await transaction.file([answered])
            actor = Actor(account.username, source.origin)
            await AccountOffice(writing, actor).issue(token)
        return LoggedIn(token, secret)

    @property
    def _now(self) -> int:
        return int(self._clock.now())


def _decoded(signature: str) -> bytes:
    try:
        return base64.b64decode(signature.encode(), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise InvalidCredential("the signature is not Base64") from None
