"""The web proxy of a node: identifiers as web addresses, read and answered without sockets."""
