"""What a newcomer sees after `ready`: three commands to try, and one resolution as it went."""

from __future__ import annotations

import shlex
from pathlib import Path

from registry.errors import Refusal
from registry.schemes.handle import Key
from resolver.cli.ask import Question, trace
from resolver.cli.errors import NobodyAnswered
from resolver.cli.output import note, show
from resolver.cli.resolve import trace_table
from resolver.cli.running import default_data, read_running
from resolver.cli.sample import draw


async def welcome(data: Path) -> None:
    """Print it, if there is an identifier and a recursive node to show it with.

    The identifier is of a self-hosted enterprise where there is one: its way is the longest. Nodes
    do not end because their greeting cannot be made, or because nobody reads it.
    """
    try:
        await _welcome(data)
    except (NobodyAnswered, Refusal) as error:
        note(f"idnode: {error}")
    except SystemExit:
        # Standard output is a pipe that nobody reads: rich has put /dev/null in its place.
        return


async def _welcome(data: Path) -> None:
    running = read_running(data)
    owners = [node for node in running.nodes if node.prefix and node.identifiers]
    owners.sort(key=lambda node: node.role != "enterprise")
    recursive = next((node for node in running.nodes if node.role == "recursive"), None)
    if not owners or recursive is None:
        return
    key = (await draw(data, 1, owners[0].prefix, None))[0]
    show(f"\nLook identifiers up in a browser: {recursive.http}/")
    show(f"\nTry, in another terminal:\n{_commands(key, owners[-1].prefix or '', data)}\n")
    found = await trace(recursive.http, Question(str(key), fresh=True))
    show(f"How {key} was just resolved:")
    if found.trace:
        show(trace_table(found.trace))
    show("\nCtrl-C ends it.")


def _commands(key: Key, prefix: str, data: Path) -> str:
    where = "" if data == default_data() else f" --data {shlex.quote(str(data))}"
    return "\n".join(
        (
            f"  idnode resolve {shlex.quote(str(key))} --trace{where}",
            f"  idnode register {prefix}/HELLO-1 --set 1:URL=https://example.org/1{where}",
            f"  idnode sample --count 5{where}",
        )
    )
