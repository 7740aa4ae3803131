"""XML from values that anyone may have written: bounded, and without document types or entities."""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from registry.errors import DecodeError

#: Octets, nested elements and elements in all that are read.
MAX_SIZE: Final = 65_536
MAX_DEPTH: Final = 32
MAX_ELEMENTS: Final = 2_000


class _Reader:
    """Builds the tree while expat reads, and stops it where a bound is passed."""

    def __init__(self) -> None:
        self.tree = TreeBuilder()
        self._depth = 0
        self._elements = 0
        self.parser = expat.ParserCreate("utf-8")
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self.tree.data

    def _doctype(self, *_declared: object) -> None:
        raise DecodeError("document types are not read", self.parser.CurrentByteIndex)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise DecodeError("too many elements, or too deep", self.parser.CurrentByteIndex)
        self.tree.start(name, attributes)

    def _end(self, name: str) -> None:
        self._depth -= 1
        self.tree.end(name)


def read_markup(data: bytes) -> Element:
    """The root element of an XML document in UTF-8. Raises DecodeError."""
    if len(data) > MAX_SIZE:
        raise DecodeError(f"{len(data)} octets of XML, at most {MAX_SIZE} are read")
    reader = _Reader()
    try:
        reader.parser.Parse(data, True)
    except expat.ExpatError as error:
        said = expat.ErrorString(error.code)
        raise DecodeError(f"not well-formed XML: {said}", reader.parser.ErrorByteIndex) from None
    return reader.tree.close()
