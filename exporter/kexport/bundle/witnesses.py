"""Witnesses: inputs on which a search found a model wrong or closest to wrong, `witnesses/*.npz` without pickles.

Witnesses are found after the bundle was built, so the manifest does not list them. A file is named by the digest of its
content, which reveals damage.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kexport.bundle import goldens
from kexport.bundle.goldens import Golden
from kexport.bundle.json_files import mapping, number, require_schema
from kexport.bundle.json_text import JsonObject
from kexport.bundle.signature import Array, Signature
from kexport.errors import BundleError, InputError

FOLDER = "witnesses"
SCHEMA = 1
_NAME_LENGTH = 16
_PATTERN = "[0-9a-f]" * _NAME_LENGTH + ".npz"  # counterexamples of contracts are beside them, with a prefix


@dataclass(frozen=True)
class Witness:
    """An input on which a model was found wrong, with the right outputs.

    Attributes:
        golden: the input and the right outputs.
        reference: where these outputs come from: `"truth"`, or the name of a runtime.
        limits: how far each output may be from them, relative to `scales`. Larger than the limit of the bundle if the
            model is noisier here than on the goldens, or if the reference is a runtime.
        scales: the largest magnitude of each output.
        before: inputs of earlier calls in the same session that the fault needs; almost always none.
        digest: SHA-256 of the artifact that the runtime `reference` ran. Without that artifact the outputs are no
            evidence any more.
    """

    golden: Golden
    reference: str
    limits: Mapping[str, float]
    scales: Mapping[str, float]
    before: Sequence[Mapping[str, Array]] = ()
    digest: str = ""


def store(bundle: Path, witness: Witness) -> str:
    """Write a witness into a bundle's folder atomically; returns its path in the bundle.

    Raises:
        OSError: the folder cannot be written.
    """
    return place(bundle, _content(witness))


def name_of(content: bytes, prefix: str = "") -> str:
    """The file name for this content: its digest after the prefix."""
    return f"{prefix}{hashlib.sha256(content).hexdigest()[:_NAME_LENGTH]}.npz"


def place(bundle: Path, content: bytes, prefix: str = "") -> str:
    """Write a file with this content atomically; returns its path in the bundle.

    Raises:
        OSError: the folder cannot be written.
    """
    name = name_of(content, prefix)
    folder = bundle / FOLDER
    folder.mkdir(exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=folder, suffix=".writing")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(folder / name)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return f"{FOLDER}/{name}"


def _content(witness: Witness) -> bytes:
    about = {
        "schema": SCHEMA,
        "label": witness.golden.label,
        "reference": witness.reference,
        "before": len(witness.before),
        "limits": dict(witness.limits),
        "scales": dict(witness.scales),
        "digest": witness.digest,
    }
    arrays: dict[str, Array] = {"about": np.array(json.dumps(about, sort_keys=True))}
    arrays |= goldens.arrays_of(0, witness.golden)
    for index, call in enumerate(witness.before):
        arrays |= {f"before/{index}/{name}": value for name, value in call.items()}
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **arrays)
    return stream.getvalue()


def paths(bundle: Path) -> list[str]:
    """The witnesses of a bundle, relative to it."""
    return [f"{FOLDER}/{path.name}" for path in sorted((bundle / FOLDER).glob(_PATTERN))]


def stream(bundle: Path, signature: Signature) -> Iterator[tuple[str, Witness]]:
    """Path and content of every witness of a bundle, one in memory at a time.

    Raises:
        BundleError: one of them is damaged, has a newer schema, or belongs to another model.
    """
    for path in paths(bundle):
        yield path, read(bundle / path, signature)


def read(path: Path, signature: Signature) -> Witness:
    """Read one witness.

    Raises:
        BundleError: it is damaged, has a newer schema, or belongs to another model.
    """
    name, hint = f"{FOLDER}/{path.name}", "delete the file, or copy the bundle again"
    try:
        content = path.read_bytes()
        if name_of(content) != path.name:
            raise BundleError(f"{name} is damaged", got="a digest that does not match its name", hint=hint)
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            about = require_schema(name, json.loads(str(stored["about"])), SCHEMA, hint=hint)
            golden = goldens.golden_in(stored, 0, str(about["label"]), signature)
            before = [
                {spec.name: stored[f"before/{index}/{spec.name}"] for spec in signature.inputs}
                for index in range(int(number(about["before"])))
            ]
            limits, scales = (_by_output(mapping(about[key]), signature) for key in ("limits", "scales"))
            for call in (*before, golden.inputs):
                signature.check(call)
            return Witness(golden, str(about["reference"]), limits, scales, before, str(about.get("digest", "")))
    except InputError as error:
        raise BundleError(f"{name} belongs to another model", got=error.subject, hint=hint) from None
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise BundleError(f"{name} is damaged", got=error, hint=hint) from None


def _by_output(numbers: JsonObject, signature: Signature) -> dict[str, float]:
    return {spec.name: float(number(numbers[spec.name])) for spec in signature.outputs}
