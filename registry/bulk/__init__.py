"""Identifiers in great numbers: lines of an upload and rows of a file, checked, and in batches."""
