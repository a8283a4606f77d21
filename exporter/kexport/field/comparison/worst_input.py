"""The input on which two models differ most, as a file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from kexport.bundle.signature import Array
from kexport.errors import UncheckedError, UsageError
from kexport.field.remote import RuntimeFailedError
from kexport.field.search import witness
from kexport.field.search.target import KeptWitness, SearchTarget


def require_writable(path: Path) -> None:
    """Raise `UsageError` unless a `.npz` file can be written at the path."""
    if path.suffix != ".npz":
        raise UsageError(f"{path} cannot hold a witness", expected="a file ending in .npz")
    if path.is_dir() or not path.parent.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(f"{path} cannot be written", got="a folder, no such folder, or no permission")


def keep(targets: Sequence[SearchTarget], path: Path | None) -> list[str]:
    """Write the worst input, simplified if the two models differ on it; returns notes on that.

    Raises:
        UncheckedError: it cannot be written any more.
    """
    failed = [target for target in targets if target.failed]
    if path is None:
        for target in failed:
            target.keep(KeptWitness(remark="--witness FILE.npz keeps the input"))
        return []
    if not targets:
        return [f"{path} was not written: no search was run"]
    worst = max(failed or targets, key=lambda target: target.state.worst)
    try:
        kept = witness.failing(worst) if failed else witness.nearest(worst)
    except RuntimeFailedError as error:
        worst.fail([f"a runtime fails on an input that it accepted before: {error}"], error.remote or worst.session)
        return []
    if kept is None:
        return [f"{path} was not written: there is no input on which they differ"]
    taken = worst.session.own_inputs
    arrays = {f"before/{i}/{n}": v for i, call in enumerate(kept.before) for n, v in taken(call).items()}
    _write(path, {**taken(kept.golden.inputs), **arrays})
    worst.keep(KeptWitness(str(path)))
    return [] if failed else [f"the input on which they differ most is kept in {path}"]


def _write(path: Path, arrays: Mapping[str, Array]) -> None:
    try:
        with path.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
    except OSError as error:
        raise UncheckedError(f"{path} cannot be written", got=error.strerror or error) from None
