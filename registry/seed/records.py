"""Making the records: what a family says, filled in by prefix and number alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from hashlib import blake2b
from typing import Final

from registry.seed.product import Draw, Family
from registry.values.admin import Admin, AdminPermission, encode_admin
from registry.values.value import Value

#: The timestamp of every seeded value: 2024-01-01 00:00 UTC.
SEEDED_AT: Final = 1_704_067_200
URL_INDEX: Final = 1
ADMIN_INDEX: Final = 100
ITEMS_FROM: Final = 2000
ADMIN_KEY_INDEX: Final = 300
#: The administrator may do all but list handles and make or drop prefixes.
ADMIN_PERMISSIONS: Final = AdminPermission(0b0111_1111_0011)

_DAYS: Final = tuple((date(2023, 1, 1) + timedelta(day)).isoformat() for day in range(365))


def split(count: int, prefixes: Sequence[str]) -> dict[str, int]:
    """`count` records over a node's prefixes as evenly as it goes; the first take the remainder."""
    each, left = divmod(count, len(prefixes))
    return {prefix: each + (place < left) for place, prefix in enumerate(prefixes)}


def records(
    family: Family, prefix: str, count: int, *, seed: int, prefecture: str
) -> Iterator[tuple[str, tuple[Value, ...]]]:
    """The first `count` records under `prefix`, as suffix and values; the arguments decide all.

    A record: a URL, HS_ADMIN naming `<prefix>/ADMIN`, and the items of its product's template. A
    unit names its lot, which comes before it. `prefecture` is the GB/T 2260 code of the origin.
    """
    admin = _value(ADMIN_INDEX, "HS_ADMIN", _admin(prefix))
    origin = _value(ITEMS_FROM, "origin", prefecture)
    site = f"https://{'.'.join(reversed(prefix.split('.')))}.{family.name}.example/"
    key = f"{seed}/{prefix}/"
    for number in range(1, count + 1):
        suffix, items = _thing(family, prefix, number, key)
        url = _value(URL_INDEX, "URL", site + suffix)
        values = (_value(index, *item) for index, item in enumerate(items, ITEMS_FROM + 1))
        yield suffix, (url, admin, origin, *values)


def _thing(family: Family, prefix: str, number: int, key: str) -> tuple[str, list[tuple[str, str]]]:
    """Suffix and items (type, text) of the number-th record; `key` sets the draws apart."""
    product, serial, lot = family.place(number)
    draw = Draw(blake2b(f"{key}{number}".encode()).digest())
    items = [("producedOn", _DAYS[draw.below(len(_DAYS))])]
    if product is family.unit:
        items.append(("lot", f"{prefix}/{family.lot.suffix(prefix, lot)}"))
    items += [(item.type, item.text(draw)) for item in product.items]
    return product.suffix(prefix, serial), items


def _value(index: int, type_: str, data: str | bytes) -> Value:
    octets = data.encode() if isinstance(data, str) else data
    return Value(index, type_.encode(), octets, timestamp=SEEDED_AT)


def _admin(prefix: str) -> bytes:
    return encode_admin(Admin(f"{prefix}/ADMIN".encode(), ADMIN_KEY_INDEX, ADMIN_PERMISSIONS))
