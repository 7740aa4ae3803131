"""What the values of a referral or of a service handle say about where to go on asking."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from registry.errors import DecodeError
from registry.values.site import Site, decode_site
from registry.values.value import Value, decode_record

#: The values of a prefix record for the prefix itself, and those for the prefixes derived from it.
#: Where both stand, the first kind is meant.
SITE_TYPES: Final = (
    frozenset({b"HS_SITE", b"HS_SITE.6"}),
    frozenset({b"HS_SITE.PREFIX", b"HS_NA_DELEGATE"}),
)
SERVICE_TYPES: Final = (frozenset({b"HS_SERV"}), frozenset({b"HS_SERV.PREFIX"}))


class Whereabouts(NamedTuple):
    """Sites to ask, or, where there are none, handles of services that have them."""

    sites: tuple[Site, ...]
    services: tuple[bytes, ...]

    @property
    def known(self) -> bool:
        """Whether there is any of them."""
        return bool(self.sites or self.services)


def read_whereabouts(record: bytes) -> Whereabouts:
    """The readable site values and the service handles of a record. Raises DecodeError."""
    values = decode_record(record) if record else ()
    services = _data(values, SERVICE_TYPES)
    return Whereabouts(tuple(_readable(_data(values, SITE_TYPES))), services)


def _data(values: tuple[Value, ...], kinds: tuple[frozenset[bytes], ...]) -> tuple[bytes, ...]:
    for types in kinds:
        if found := tuple(value.data for value in values if value.type.upper() in types):
            return found
    return ()


def _readable(sites: tuple[bytes, ...]) -> Iterator[Site]:
    """One site value that cannot be read must not hide its neighbours."""
    for data in sites:
        try:
            yield decode_site(data)
        except DecodeError:
            continue
