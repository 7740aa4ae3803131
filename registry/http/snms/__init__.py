"""The SNMS-shaped API over HTTP: log-in, identifiers, templates; see `registry.snms`."""

from registry.http.snms.identifiers import Identifiers
from registry.http.snms.identity import Identity
from registry.http.snms.templates import Templates

__all__ = ["Identifiers", "Identity", "Templates"]
