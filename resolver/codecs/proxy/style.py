"""The style sheet of the pages, and the policy that lets browsers use it and nothing else."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Final

#: It stands in every page, so that a page is one request.
CSS: Final = Path(__file__).with_name("pages.css").read_text("utf-8")
_DIGEST: Final = base64.b64encode(hashlib.sha256(CSS.encode()).digest()).decode()
#: Nothing is loaded, run or framed; forms go to this node only.
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
