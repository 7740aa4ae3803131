"""How the nodes are leaned on: benchmarks and load generation."""
