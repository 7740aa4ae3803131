"""Codes of the industry classification GB/T 4754-2017, by their form.

A letter for the category, and the digits of a division (two), a group (three) or a class (four).
"""

from __future__ import annotations

import re
from typing import Final

INDUSTRY: Final = re.compile(r"[A-T][0-9]{2,4}")
