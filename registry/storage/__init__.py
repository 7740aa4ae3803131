"""Where a node keeps what it must not lose: the interface, SQL backends and migrations."""
