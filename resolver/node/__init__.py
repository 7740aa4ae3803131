"""One node: its store, its sources, its front-ends, its sockets, from start to drain.

`life` starts and drains it; `holding` opens what it keeps and `recursing` what asks other nodes;
`fronts` puts the front-ends together, `management` lists what its HTTP ports serve under /v1,
`sockets` opens the ports; `figures` are what it counts, `facts` what it tells about itself.
"""

from resolver.node.life import Node
from resolver.node.sockets import PortInUse

__all__ = ["Node", "PortInUse"]
