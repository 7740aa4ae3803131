"""Prefixes: their life from the application on, their records, and which are homed here."""
