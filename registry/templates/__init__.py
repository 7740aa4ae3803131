"""Templates: what the records of an industry consist of, and whether a record does."""
