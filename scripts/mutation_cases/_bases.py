"""The healthy bundles that are mutated: those checked in, and copies of them with every other kind of file."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from onnx.external_data_helper import convert_model_to_external_data

from kexport.bundle import counterexamples, samples, witnesses
from kexport.bundle.contract_entries import ContractEntry
from kexport.bundle.domain import Samples
from kexport.bundle.folder import Bundle
from kexport.bundle.goldens import Golden
from kexport.bundle.signature import Array
from kexport.bundle.signed_statement import FILE_NAME as SIGNATURE
from kexport.bundle.witnesses import Witness
from kexport.field.authenticity import sign

REFERENCES = Path(__file__).resolve().parents[2] / "artifacts" / "reference"
#: Of a file's place in a bundle, its kind.
_KINDS = {
    "manifest.json": "manifest",
    "report.json": "report",
    "goldens.npz": "goldens",
    "samples.npz": "samples",
    SIGNATURE: "signature",
}
_SUFFIXES = {".onnx": "onnx", ".tflite": "tflite", ".keras": "keras", ".data": "external", ".pb": "saved_model"}


@dataclass(frozen=True)
class Base:
    """A healthy bundle, in memory.

    Attributes:
        name: the name of its folder.
        files: the content of each file.
        kinds: the files of each kind, besides the inputs of `run`.
        goldens: the goldens.
        feeds: the inputs of a small golden.
        tables: the same, as files in each of the formats that hold them.
        limits: how far each output may be from the truth, in its unit.
        signature: name, dtype and rank of each input and output.
        key: the public key with which it was signed; empty if it was not.
    """

    name: str
    files: Mapping[str, bytes]
    kinds: Mapping[str, Sequence[str]]
    goldens: Sequence[Golden]
    feeds: Mapping[str, Array]
    tables: Mapping[str, bytes]
    limits: Mapping[str, float]
    signature: Any
    key: str = ""


def read(folder: Path) -> Base:
    """A bundle of any folder."""
    bundle = Bundle.open(folder)
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    kinds: dict[str, list[str]] = {}
    for path in sorted(files):
        kinds.setdefault(kind_of(path), []).append(path)
    limits = {limit.output: limit.limit * limit.scale for limit in bundle.manifest.limits}
    goldens = list(bundle.goldens())
    feeds = min((golden.inputs for golden in goldens), key=lambda inputs: sum(each.size for each in inputs.values()))
    return Base(folder.name, files, kinds, goldens, feeds, tables(feeds), limits, bundle.signature)


def kind_of(path: str) -> str:
    """The kind of a file of a bundle."""
    if path.startswith(witnesses.FOLDER):
        return "counterexample" if "contract-" in path else "witness"
    if path.startswith("saved_model/"):
        return "saved_model"
    return _KINDS.get(path) or _SUFFIXES.get(Path(path).suffix, "other")


def every(folder: Path, also: Path | None = None) -> list[Base]:
    """All bases; `folder` takes the copies, `also` is a folder with further bundles."""
    # Artifacts in small precisions are right within a budget, which the judgement of what was served does not know.
    found = [read(path) for path in sorted(REFERENCES.iterdir()) if path.is_dir() and not path.name.endswith("_small")]
    operators = {"onnx_operator": ["model.onnx"], "tflite_operator": ["model.tflite"]}  # which take their places
    found[0] = replace(found[0], kinds={**found[0].kinds, **operators})
    found += [read(_with_everything(folder / "everything")), read(_with_external_weights(folder / "external"))]
    found.append(_signed(folder / "signed"))
    if also is not None:
        found += [read(path.parent) for path in sorted(also.glob("*/manifest.json"))]
    return found


def _with_everything(folder: Path) -> Path:
    """`lowpass` with recorded data, a witness and a counterexample."""
    shutil.copytree(REFERENCES / "lowpass", folder, dirs_exist_ok=True)
    bundle = Bundle.open(folder)
    golden = min(bundle.goldens(), key=lambda each: each.inputs["signal"].size)
    (limit,) = bundle.manifest.limits
    sha256 = bundle.artifacts_of("tflite")[0].sha256
    scales, limits = {limit.output: limit.scale}, {limit.output: limit.limit}
    witnesses.store(folder, Witness(golden, "litert", limits, scales, [dict(golden.inputs)], sha256))
    witnesses.store(folder, Witness(golden, "truth", limits, scales))
    manifest = json.loads((folder / "manifest.json").read_text())
    entry = ContractEntry("finite", {}, ("signal",), ("filtered",))
    manifest["contracts"] = [entry.to_json()]
    counterexamples.store(folder, entry, {"signal": golden.inputs["signal"][:1]})
    recorded = Samples(np.linspace(-5, 5, 40 * 80, dtype="float32").reshape(40, 80))
    stored = samples.write(folder, bundle.signature, {"signal": recorded})
    assert stored is not None
    manifest["samples"], manifest["domains"] = stored.to_json(), {"signal": str(recorded)}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2))
    return folder


def _with_external_weights(folder: Path) -> Path:
    """`regularized` with the weights of its ONNX file in another file."""
    shutil.copytree(REFERENCES / "regularized", folder, dirs_exist_ok=True)
    model = onnx.load(folder / "model.onnx")
    convert_model_to_external_data(model, location="model.onnx.data", size_threshold=16)
    onnx.save(model, folder / "model.onnx")
    manifest = json.loads((folder / "manifest.json").read_text())
    for artifact in manifest["artifacts"]:
        if artifact["format"] == "onnx":
            artifact["sha256"] = sha256_of((folder / "model.onnx").read_bytes())
            data = (folder / "model.onnx.data").read_bytes()
            artifact["external"] = [{"path": "model.onnx.data", "sha256": sha256_of(data), "bytes": len(data)}]
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2))
    return folder


def _signed(folder: Path) -> Base:
    """`scaled`, signed with a key that is no secret."""
    shutil.copytree(REFERENCES / "scaled", folder, dirs_exist_ok=True)
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    sign(folder, pem)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    base = read(folder)
    return replace(base, kinds={**base.kinds, "signed": sorted(base.files)}, key=public)


def sha256_of(content: bytes) -> str:
    """The digest of a file."""
    return hashlib.sha256(content).hexdigest()


def tables(feeds: Mapping[str, Array]) -> dict[str, bytes]:
    """The inputs of `run` as files: a `.npz`, and a `.npy` and a `.csv` where the model has one input."""
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **feeds)
    found = {"input.npz": stream.getvalue()}
    if len(feeds) == 1:
        (array,) = feeds.values()
        stream = io.BytesIO()
        np.save(stream, array, allow_pickle=False)
        found["input.npy"] = stream.getvalue()
        if array.ndim == 2:
            found["input.csv"] = "".join(",".join(f"{x:g}" for x in row) + "\n" for row in array).encode()
    return found
