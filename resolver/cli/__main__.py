"""`python -m resolver.cli`: the `idnode` command."""

from resolver.cli.main import main

main()
