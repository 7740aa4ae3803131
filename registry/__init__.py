"""What is true: identifiers, values, records, prefixes, and the rules for changing them (RFC 3651)."""
