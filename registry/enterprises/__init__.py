"""Enterprises: what is known of them, and how they come to be accepted."""
