"""Finding identifiers by what is in them."""
