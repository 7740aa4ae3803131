"""Registering identifiers: changes, what they may come to, and the one way they are committed."""
