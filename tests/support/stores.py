"""The minimal topology with its sector node on a store of one's choice."""

from __future__ import annotations

from pathlib import Path

_SHIPPED = Path(__file__).parents[2] / "configs" / "minimal.toml"
_SECTOR = 'role = "sector"\n'


def minimal_on(url: str, directory: Path) -> Path:
    """A topology file in the directory; with an SQLite URL it is the topology as it is shipped."""
    text = _SHIPPED.read_text("utf-8")
    if not url.startswith("sqlite:"):
        text = text.replace(_SECTOR, f'{_SECTOR}store = "{url}"\n')
    path = directory / "on_store.toml"
    path.write_text(text, "utf-8")
    return path
