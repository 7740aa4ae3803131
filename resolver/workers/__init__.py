"""The processes of one node: the writer, which keeps the store, and the workers beside it.

All of them serve the node's ports. `crew` is the workers as the writer sees them, `writer_link` the
writer as a worker sees it, `place` where they meet, `counting` their figures added up,
`handing_over` the Handle messages that a worker leaves to the writer.
"""
