"""`idnode completion SHELL`"""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes idnode's commands; load it from your shell's start-up file.

    For bash: eval "$(idnode completion bash)"
    """
    script = get_completion_class(shell)
    assert script is not None
    command = context.find_root().command
    click.echo(script(command, {}, "idnode", "_IDNODE_COMPLETE").source())
