"""A topology: the TOML file that names nodes, their parents and what they home, checked on load."""

from resolver.topology.addresses import Endpoints, Ports, endpoints, ports
from resolver.topology.loading import configs_directory, load, parse, with_base_port
from resolver.topology.model import Hosted, NodeSpec, Role, Title, Topology
from resolver.topology.problems import Problem, TopologyError

__all__ = [
    "Endpoints",
    "Hosted",
    "NodeSpec",
    "Ports",
    "Problem",
    "Role",
    "Title",
    "Topology",
    "TopologyError",
    "configs_directory",
    "endpoints",
    "load",
    "parse",
    "ports",
    "with_base_port",
]
