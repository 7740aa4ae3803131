"""RFC 3651 values kept in wire form: the value itself, typed data (HS_*), and its JSON form."""
