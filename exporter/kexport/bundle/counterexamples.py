"""Inputs that broke a contract: `witnesses/contract-*.npz` in a bundle, beside the witnesses of parity.

They are named after the digest of their content, as those are. A breach has no truth: the contract itself says whether
it is one.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from kexport.bundle import witnesses
from kexport.bundle.contract_entries import ContractEntry
from kexport.bundle.json_files import mapping, require_schema, texts
from kexport.bundle.signature import Array, Signature
from kexport.errors import BundleError

_PREFIX = "contract-"
_SCHEMA = 1
#: What a contract tried: of each of its inputs, and of second values of them, an array whose first axis has length 1.
Probe = Mapping[str, Array]


def store(bundle: Path, promised: ContractEntry, probe: Probe) -> str:
    """Write what broke a contract into a bundle's folder, whole or not at all; returns its path in the bundle.

    Raises:
        OSError: the folder cannot be written.
    """
    about = {"schema": _SCHEMA, "contract": promised.to_json(), "inputs": list(probe)}
    arrays = {f"probe/{index}": values for index, values in enumerate(probe.values())}
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, about=np.array(json.dumps(about, sort_keys=True)), **arrays)
    return witnesses.place(bundle, stream.getvalue(), _PREFIX)


def paths(bundle: Path) -> list[str]:
    """Those of a bundle, relative to it."""
    return [f"{witnesses.FOLDER}/{path.name}" for path in sorted((bundle / witnesses.FOLDER).glob(f"{_PREFIX}*.npz"))]


def read(path: Path, signature: Signature) -> tuple[ContractEntry, Probe]:
    """One contract, and what broke it.

    Raises:
        BundleError: it is damaged, or is of another model.
    """
    name, hint = f"{witnesses.FOLDER}/{path.name}", "delete the file, or copy the bundle again"
    try:
        content = path.read_bytes()
        if witnesses.name_of(content, _PREFIX) != path.name:
            raise BundleError(f"{name} is damaged", got="a digest that is not its name", hint=hint)
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            about = require_schema(name, json.loads(str(stored["about"])), _SCHEMA, hint=hint)
            promised = ContractEntry.from_json(mapping(about["contract"]), signature)
            return promised, {key: stored[f"probe/{index}"] for index, key in enumerate(texts(about["inputs"]))}
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise BundleError(f"{name} is damaged", got=error, hint=hint) from None


def same(one: ContractEntry, other: ContractEntry) -> bool:
    """Whether two entries promise the same, whichever layer did."""
    return replace(one, layer="") == replace(other, layer="")
