"""How identifiers are asked for: protocols, resolution, nodes, the `idnode` command (RFC 3652)."""

__version__ = "0.1.0"
