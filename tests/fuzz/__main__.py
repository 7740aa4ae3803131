"""Fuzz the decoders, guided by coverage: `python -m tests.fuzz --seconds 20 [target…]`.

Each target runs in a process of its own, forked after everything was imported with its branches
counted. The input that broke an invariant is printed in hexadecimal, and kept where `--keep` says.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import tempfile
from contextlib import redirect_stderr
from pathlib import Path
from typing import NoReturn

import atheris

with redirect_stderr(io.StringIO()), atheris.instrument_imports(include=["registry", "resolver"]):
    from tests.fuzz import of_messages, of_names, of_values, of_web
    from tests.fuzz.invariants import Target

TARGETS = of_values.TARGETS | of_messages.TARGETS | of_names.TARGETS | of_web.TARGETS
#: Seconds that one input may take: an attacker sends many.
MOST_SECONDS = 2
MOST_OCTETS = 4_096


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[[], *TARGETS], metavar="target")
    parser.add_argument("--seconds", type=int, default=0, help="for each target")
    parser.add_argument("--runs", type=int, default=-1, help="of each target, fewer of dear ones")
    parser.add_argument("--seed", type=int, default=1, help="of what is drawn at random")
    parser.add_argument("--keep", type=Path, help="a directory for what was found")
    chosen = parser.parse_args()
    broken = [name for name in chosen.targets or TARGETS if not _passes(name, chosen)]
    print("broken: " + ", ".join(broken) if broken else "no invariant broken", flush=True)
    return 1 if broken else 0


def _passes(name: str, chosen: argparse.Namespace) -> bool:
    """Run one target in a child; its output is shown only if it ends badly."""
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch) if chosen.keep is None else chosen.keep / name
        place.mkdir(parents=True, exist_ok=True)
        said = Path(scratch) / "output"
        child = os.fork()
        if child == 0:
            _end_in_fuzzing(TARGETS[name], place, said, chosen)
        _, status = os.waitpid(child, 0)
        lines = said.read_text("utf-8", "replace").splitlines()
        print(f"{name}: {'ok' if status == 0 else 'BROKEN'}", *lines[-1:], flush=True)
        if status:
            print(*lines[-30:], sep="\n")
            for found in (*place.glob("crash-*"), *place.glob("timeout-*")):
                print(f"{name} with {found.read_bytes().hex()}", flush=True)
    return status == 0


def _end_in_fuzzing(
    target: Target, place: Path, said: Path, chosen: argparse.Namespace
) -> NoReturn:
    """Fuzz in a forked process, which ends by that."""
    output = os.open(said, os.O_WRONLY | os.O_CREAT)
    os.dup2(output, 1)
    os.dup2(output, 2)
    try:
        _fuzz(target, place, chosen)
    finally:
        sys.stderr.flush()
        os._exit(1)


def _fuzz(target: Target, place: Path, chosen: argparse.Namespace) -> None:
    corpus = place / "corpus"
    corpus.mkdir(exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [
        f"-runs={chosen.runs if chosen.runs < 0 else max(1, chosen.runs // target.cost)}",
        f"-max_total_time={chosen.seconds}",
        f"-seed={chosen.seed}",
        f"-timeout={MOST_SECONDS}",
        f"-max_len={MOST_OCTETS}",
        f"-artifact_prefix={place}/",
    ]

    def run(data: bytes) -> None:
        try:
            target.run(data)
        except Exception:
            (place / "crash-input").write_bytes(data)
            raise

    atheris.Setup([sys.argv[0], *options, str(corpus)], run)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
