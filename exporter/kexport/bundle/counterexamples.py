"""Counterexamples: inputs that broke a contract, in `witnesses/contract-*.npz` beside the witnesses of parity.

Like those, they are named after the digest of their content. A counterexample stores no true outputs: the contract
itself decides whether an output breaks it.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from kexport.bundle import witnesses
from kexport.bundle.contract_entries import ContractEntry
from kexport.bundle.json_files import mapping, member, texts
from kexport.bundle.signature import Array, Signature

_PREFIX = "contract-"
_PATTERN = re.compile(rf"{_PREFIX}.*\.npz")
_SCHEMA = 1
#: For each input, and for second values of inputs, an array: one sample, or the batch in which one breaks the contract.
Probe = Mapping[str, Array]


def content(entry: ContractEntry, probe: Probe) -> bytes:
    """What the file of a counterexample holds."""
    about = {"schema": _SCHEMA, "contract": entry.to_json(), "inputs": list(probe)}
    arrays = {f"probe/{index}": values for index, values in enumerate(probe.values())}
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, about=np.array(json.dumps(about, sort_keys=True)), **arrays)
    return stream.getvalue()


def store(bundle: Path, entry: ContractEntry, probe: Probe) -> str:
    """Write a counterexample into a bundle's folder, atomically; returns its path in the bundle.

    Raises:
        OSError: the folder cannot be written.
    """
    return place(bundle, content(entry, probe))


def place(bundle: Path, content: bytes) -> str:
    """Write the file of a counterexample, given what it holds; otherwise as `store`."""
    return witnesses.place(bundle, content, _PREFIX)


def paths(bundle: Path) -> list[str]:
    """The counterexamples of a bundle, as paths relative to it.

    Raises:
        BundleError: their folder cannot be read.
    """
    return witnesses.paths_like(bundle, _PATTERN)


def read(path: Path, signature: Signature, max_bytes: int = 0) -> tuple[ContractEntry, Probe]:
    """A contract and its counterexample.

    Args:
        path: the path of the file.
        signature: of the model.
        max_bytes: what limits on its size are raised to.

    Raises:
        BundleError: the file is damaged, or belongs to another model.
    """
    with witnesses.reading(path, _PREFIX, _SCHEMA, max_bytes) as (stored, about):
        entry = ContractEntry.from_json(member(about, "contract", mapping), signature)
        return entry, {key: stored[f"probe/{index}"] for index, key in enumerate(member(about, "inputs", texts))}


def same(one: ContractEntry, other: ContractEntry) -> bool:
    """Whether two entries state the same contract, whichever layer states it."""
    return replace(one, layer="") == replace(other, layer="")
