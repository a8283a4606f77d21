"""The input on which two models differ most, as a file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from kexport.bundle.signature import Array
from kexport.errors import UncheckedError, UsageError
from kexport.field.remote import RuntimeFailedError
from kexport.field.search.target import Contest


def writable(path: Path) -> Path:
    """The path itself, when a file can be written there.

    Raises:
        UsageError: it cannot, or is of another kind.
    """
    if path.suffix != ".npz":
        raise UsageError(f"{path} is of no kind that a witness can be written as", expected="a file ending in .npz")
    if path.is_dir() or not path.parent.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(f"{path} cannot be written", got="a folder, no such folder, or no permission")
    return path


def keep(contests: Sequence[Contest], target: Path | None) -> list[str]:
    """Write the worst input, made plain if it is one on which they differ; returns notes on that.

    Raises:
        UncheckedError: it cannot be written any more.
    """
    failed = [contest for contest in contests if contest.settled]
    for contest in failed:
        contest.unkept = "--witness FILE.npz keeps the input" if target is None else ""
    if target is None:
        return []
    if not contests:
        return [f"{target} was not written: nothing was searched"]
    worst = max(failed or contests, key=lambda contest: contest.standing.worst)
    try:
        found = worst.witness() if failed else worst.nearest()
    except RuntimeFailedError as error:
        worst.fail(f"a runtime fails on an input that it took before: {error}", error.remote or worst.remote)
        return []
    if found is None:
        return [f"{target} was not written: there is no input on which they differ"]
    arrays = {f"before/{i}/{n}": v for i, call in enumerate(found.before) for n, v in call.items()}
    _write(target, {**found.golden.inputs, **arrays})
    worst.witness_path = str(target)
    return [] if failed else [f"the input on which they differ most is kept in {target}"]


def _write(path: Path, arrays: Mapping[str, Array]) -> None:
    try:
        with path.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
    except OSError as error:
        raise UncheckedError(f"{path} cannot be written", got=error.strerror or error) from None
