"""Locust users for the same operations, for load from many machines (needs the extra `load`)."""
