"""Witnesses: inputs on which a search found a model wrong or closest to wrong, `witnesses/*.npz` without pickles.

Witnesses are found after the bundle was built, so the manifest does not list them. A file is named by the digest of its
content, which reveals damage.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kexport.bundle import goldens, npz
from kexport.bundle.archives import EXPANSION, Archive
from kexport.bundle.digests import digest
from kexport.bundle.goldens import Golden
from kexport.bundle.json_files import FieldError, mapping, member, number, optional, require_schema, text, whole
from kexport.bundle.json_text import JsonObject, parse
from kexport.bundle.regular_files import names_in
from kexport.bundle.signature import Array, Signature
from kexport.errors import ArtifactError, BundleError, InputError

FOLDER = "witnesses"
SCHEMA = 1
TRUTH = "truth"  # the reference that is no runtime
_NAME_LENGTH = 16
_PATTERN = re.compile(rf"[0-9a-f]{{{_NAME_LENGTH}}}\.npz")  # counterexamples of contracts have a prefix
_HINT = "delete the file, or copy the bundle again"


@dataclass(frozen=True)
class Witness:
    """An input on which a model was found wrong, with the right outputs.

    Attributes:
        golden: the input and the right outputs.
        reference: where these outputs come from: `TRUTH`, or the name of a runtime.
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
    return _name(hashlib.sha256(content).hexdigest(), prefix)


def _name(sha256: str, prefix: str) -> str:
    return f"{prefix}{sha256[:_NAME_LENGTH]}.npz"


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
    """The witnesses of a bundle, relative to it.

    Raises:
        BundleError: the folder cannot be read.
    """
    return paths_like(bundle, _PATTERN)


def paths_like(bundle: Path, pattern: re.Pattern[str]) -> list[str]:
    """The files in the folder of witnesses whose names have a pattern, relative to the bundle.

    Raises:
        BundleError: the folder cannot be read.
    """
    try:
        names = names_in(bundle / FOLDER, bundle)
    except OSError as error:
        hint = "make it readable, or delete it"
        raise BundleError(f"{FOLDER} cannot be read", got=error.strerror or error, hint=hint) from None
    return [f"{FOLDER}/{name}" for name in names if pattern.fullmatch(name)]


def stream(bundle: Path, signature: Signature, max_bytes: int = 0) -> Iterator[tuple[str, Witness]]:
    """Path and content of every witness of a bundle, one in memory at a time; otherwise as `read`.

    Raises:
        BundleError: their folder cannot be read, or one of them is damaged, has a newer schema, or belongs to another
            model.
    """
    for path in paths(bundle):
        yield path, read(bundle / path, signature, max_bytes)


def read(path: Path, signature: Signature, max_bytes: int = 0) -> Witness:
    """Read one witness.

    Args:
        path: the path of the file.
        signature: of the model.
        max_bytes: what limits on its size are raised to.

    Raises:
        BundleError: it is damaged, has a newer schema, or belongs to another model.
    """
    name = f"{FOLDER}/{path.name}"
    with reading(path, max_bytes=max_bytes) as (stored, about):
        golden = goldens.golden_in(stored, 0, member(about, "label", text), signature)
        reference = member(about, "reference", text)
        goldens.require_whole(golden, signature, of_runtime=reference != TRUTH)
        before = [
            {spec.name: stored[f"before/{index}/{spec.name}"] for spec in signature.inputs}
            for index in range(member(about, "before", whole))
        ]
        limits, scales = (_by_output(member(about, key, mapping), signature) for key in ("limits", "scales"))
        try:
            for call in (*before, golden.inputs):
                signature.check(call)
        except InputError as error:
            raise BundleError(f"{name} belongs to another model", got=error.subject, hint=_HINT) from None
        return Witness(golden, reference, limits, scales, before, optional(about, "digest", text, ""))


@contextlib.contextmanager
def reading(
    path: Path, prefix: str = "", schema: int = SCHEMA, max_bytes: int = 0
) -> Iterator[tuple[npz.NpzArrays, JsonObject]]:
    """The arrays of a file that is named by its digest, and what it says of itself; for the time of the block.

    Args:
        path: the path of the file.
        prefix: of its name.
        schema: the newest that can be read.
        max_bytes: what limits on its size are raised to.

    Raises:
        BundleError: the file is damaged, or has a newer schema; also where the block finds that an array is missing
            or damaged.
    """
    name, bundle, most = f"{FOLDER}/{path.name}", path.parent.parent, max(EXPANSION, max_bytes)
    try:
        if _name(digest(path, bundle, most), prefix) != path.name:
            raise ValueError("a digest that does not match its name")
        stored = npz.NpzArrays(Archive(path, bundle, most))
        about = stored["about"]
        if about.dtype.kind != "U" or about.shape:
            raise ValueError("what it says of itself is no text")
        yield stored, require_schema(name, parse(str(about), name), schema, hint=_HINT)
    except (ArtifactError, BundleError) as error:
        hint = str(error.facts["hint"] or _HINT)
        raise BundleError(error.subject, got=error.facts["got"], expected=error.facts["expected"], hint=hint) from None
    except (OSError, ValueError, KeyError, FieldError) as error:
        why = f"it lacks {error}" if isinstance(error, KeyError) else error
        raise BundleError(f"{name} is damaged", got=why, hint=_HINT) from None


def _by_output(numbers: JsonObject, signature: Signature) -> dict[str, float]:
    return {spec.name: float(member(numbers, spec.name, number)) for spec in signature.outputs}
