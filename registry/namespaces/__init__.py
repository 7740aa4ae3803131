"""HS_NAMESPACE: what holds for all identifiers of a prefix, and values computed from a suffix."""
