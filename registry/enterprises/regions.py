"""Administrative divisions as GB/T 2260 codes them: two digits each for province, city, county.

The provinces are all here, of the cities those of Sichuan; a city or county elsewhere has to have
the form of a code and to lie in what is named above it.
"""

from __future__ import annotations

import re
from typing import Final

#: The 21 prefectures of Sichuan (51).
SICHUAN: Final = {
    "510100": "Chengdu",
    "510300": "Zigong",
    "510400": "Panzhihua",
    "510500": "Luzhou",
    "510600": "Deyang",
    "510700": "Mianyang",
    "510800": "Guangyuan",
    "510900": "Suining",
    "511000": "Neijiang",
    "511100": "Leshan",
    "511300": "Nanchong",
    "511400": "Meishan",
    "511500": "Yibin",
    "511600": "Guang'an",
    "511700": "Dazhou",
    "511800": "Ya'an",
    "511900": "Bazhong",
    "512000": "Ziyang",
    "513200": "Aba",
    "513300": "Garzê",
    "513400": "Liangshan",
}
_SICHUAN: Final = "51"
_CODE: Final = re.compile(r"[0-9]{6}")
#: The first two digits of a province, autonomous region, municipality or special region.
_PROVINCE: Final = re.compile(r"1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[12]")


def province_fault(code: str) -> str | None:
    """What is wrong with the code of a province, in words; None if nothing is."""
    if not _CODE.fullmatch(code) or not code.endswith("0000"):
        return "is six digits of GB/T 2260, the last four 0, as in 510000"
    return None if _PROVINCE.fullmatch(code[:2]) else "is no province of GB/T 2260"


def city_fault(code: str, province: str) -> str | None:
    """The same of a city (prefecture) in a province."""
    if not _CODE.fullmatch(code) or not code.endswith("00") or code.endswith("0000"):
        return "is six digits of GB/T 2260, the last two 0, as in 511500"
    if code[:2] != province[:2]:
        return f"does not lie in province {province}"
    if code[:2] == _SICHUAN and code not in SICHUAN:
        return "is no prefecture of Sichuan"
    return None


def county_fault(code: str, city: str) -> str | None:
    """The same of a county (district) in a city."""
    if not _CODE.fullmatch(code) or code.endswith("00"):
        return "is six digits of GB/T 2260, the last two not 0, as in 511502"
    return None if code[:4] == city[:4] else f"does not lie in city {city}"
