"""The `idnode` command, one file a sub-command."""
