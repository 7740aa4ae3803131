"""The management API over HTTP, and the problem documents that all of HTTP answers with."""
