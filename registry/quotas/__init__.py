"""Limits: what they are, and where they are held."""
