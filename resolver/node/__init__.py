"""One node: its store, its sources, its front-ends, its sockets, from start to drain.

`life` starts and drains it, `worker` one more process that serves it; `holding` opens what it keeps
and `recursing` what asks other nodes; `fronts` puts the front-ends together, `desk` administers,
`management` lists what the HTTP ports serve under /v1, `sockets` opens the ports, `serving` is what
every process does; `figures` are what it counts, `facts` what it tells about itself.
"""

from resolver.node.life import Node
from resolver.node.sockets import PortInUse
from resolver.node.worker import Worker

__all__ = ["Node", "PortInUse", "Worker"]
