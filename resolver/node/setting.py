"""What every part of a node is given: which node it is, in which topology, its data, its clock."""

from __future__ import annotations

from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from registry.clock import Clock
from registry.schemes.handle import HandleRules
from registry.values.site import Site
from resolver.data_directory import DataDirectory
from resolver.provision import published_site
from resolver.server_keys import server_key
from resolver.topology import Endpoints, NodeSpec, Ports, Topology, endpoints, ports


class Setting(NamedTuple):
    """A node's place in its topology, its data directory and its clock."""

    topology: Topology
    spec: NodeSpec
    data: DataDirectory
    clock: Clock

    @property
    def rules(self) -> HandleRules:
        return self.topology.rules

    @property
    def ports(self) -> Ports:
        return ports(self.topology, self.spec)

    @property
    def endpoints(self) -> Endpoints:
        return endpoints(self.topology, self.spec)

    def key(self) -> RSAPrivateKey:
        """The node's private key."""
        return server_key(self.data.node_path(self.spec.name))

    def site(self) -> Site:
        """How the node is reached."""
        return published_site(self.topology, self.spec, self.data)

    def root_site(self) -> Site:
        """How the root of the topology is reached."""
        return published_site(self.topology, self.topology.root, self.data)
