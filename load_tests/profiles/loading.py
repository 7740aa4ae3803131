"""Reading a profile: find the file, read it, return it checked or say all that is wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import inspect

from load_tests.profiles import checks
from load_tests.profiles.model import Profile
from resolver.topology import shape
from resolver.topology.lines import key_lines, line_of
from resolver.topology.loading import configs_directory
from resolver.topology.problems import Problem, did_you_mean


class ProfileError(Exception):
    """A profile that cannot be run; str() has a line for everything that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))


def load(source: str | Path) -> Profile:
    """The profile in a file, or a built-in one by its bare name. Raises ProfileError."""
    path = Path(source)
    if path.parent == Path() and not path.suffix:
        path = profiles_directory() / f"{path.name}.toml"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        known = built_in()
        hint = did_you_mean(path.stem, known) or f"; built in: {', '.join(known)}"
        raise ProfileError([Problem(str(source), "", f"no such profile{hint}")]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError([Problem(str(path), "", f"cannot be read: {error}")]) from None
    return parse(text, path.name)


def parse(text: str, file: str) -> Profile:
    """The profile in a TOML text; `file` names it in messages. Raises ProfileError."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ProfileError([Problem(file, "", f"is not TOML: {error}")]) from None
    found = list(shape.findings(document, inspect.type_info(Profile)))
    if not found:
        profile = msgspec.convert(document, Profile)
        found = list(checks.findings(profile))
    if found:
        lines = key_lines(text)
        raise ProfileError(
            Problem(file, one.key, one.message, line_of(one.key, lines)) for one in found
        )
    return profile


def profiles_directory() -> Path:
    """Where the profiles are that ship with the program."""
    return configs_directory() / "profiles"


def built_in() -> list[str]:
    """Their names."""
    return sorted(path.stem for path in profiles_directory().glob("*.toml"))
