"""Thin shells around sockets: they move bytes and decide nothing."""
