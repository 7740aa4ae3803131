"""What is true: identifiers, values, records, prefixes, and how they may change (RFC 3651)."""
