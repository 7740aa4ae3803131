"""Accounts: who there is, what they are known by, and how they are let in."""
