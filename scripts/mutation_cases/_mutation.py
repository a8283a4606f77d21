"""A mutation: drawn from a seed and a number, so that these two replay it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from random import Random

from kexport.bundle import witnesses
from mutation_cases import (
    _arrays,
    _bytes,
    _envelope,
    _json,
    _keras,
    _npy,
    _onnx,
    _onnx_operators,
    _protobuf,
    _table,
    _tflite,
    _tflite_operators,
)
from mutation_cases._bases import Base, kind_of, sha256_of
from mutation_cases._bytes import Edited
from mutation_cases._one_operator import OneOperator

Edit = Callable[[bytes, Random], Edited]


@dataclass(frozen=True)
class Special:
    """What is in the place of a file: nothing, or something that is no regular file.

    Attributes:
        what: `"nothing"`, `"link"`, `"pipe"`, `"folder"` or `"sparse"`.
        target: of a link; the name of the file itself for a copy of it outside of the bundle.
    """

    what: str
    target: str = ""


Files = dict[str, "bytes | Special"]


@dataclass(frozen=True)
class Mutation:
    """One mutation.

    Attributes:
        number: with the seed, its name.
        seed: the seed of the run.
        base: the healthy bundle.
        kind: the kind of file that changes.
        path: the file that changes.
        operation: what is done with it.
        runtime: the one that is asked for, empty for the default.
        edits: how many changes it has.
        stale: whether the digest in the manifest stays that of the healthy file.
    """

    number: int
    seed: int
    base: Base
    kind: str
    path: str
    operation: str
    runtime: str
    edits: int
    stale: bool

    @property
    def uses_tensorflow(self) -> bool:
        """Whether TensorFlow runs."""
        return self.runtime in ("keras", "saved_model")


_EDITS: Mapping[str, Edit] = {
    "manifest": _json.edit,
    "report": _json.edit,
    "goldens": _arrays.edit,
    "samples": _arrays.edit,
    "witness": _arrays.edit,
    "counterexample": _arrays.edit,
    "onnx": _onnx.edit,
    "external": _bytes.edit,
    "tflite": _tflite.edit,
    "keras": _keras.edit,
    "saved_model": _protobuf.edit,
    "input": _table.edit,
    "signature": _envelope.edit,
}
#: Kinds whose artifact is a file of one operator, drawn anew for each number, with as many changes.
OPERATORS: Mapping[str, Callable[[Random, int], OneOperator]] = {
    "onnx_operator": _onnx_operators.draw,
    "tflite_operator": _tflite_operators.draw,
}
#: How often each kind is drawn, and the operations that read it.
_OPERATIONS: Mapping[str, tuple[float, Sequence[str]]] = {
    "manifest": (22, ("load",) * 7 + ("run",) * 3 + ("inspect",) * 6 + ("isolated", "verify", "compare")),
    "report": (8, ("inspect",)),
    "goldens": (8, ("goldens",) * 8 + ("verify", "compare")),
    "samples": (3, ("goldens",) * 8 + ("verify",)),
    "witness": (3, ("witnesses",) * 8 + ("verify",)),
    "counterexample": (2, ("witnesses",) * 8 + ("verify",)),
    "onnx": (18, ("load",) * 16 + ("isolated", "verify", "compare", "inspect", "run", "run")),
    "external": (1, ("load", "load", "verify")),
    "tflite": (20, ("load",) * 16 + ("isolated", "verify", "compare", "inspect", "run", "run")),
    "keras": (0.3, ("load", "load", "load", "load", "verify", "inspect")),
    "saved_model": (0.3, ("load", "load", "load", "load", "verify", "inspect")),
    "input": (9, ("run",)),
    "signed": (3, ("signed",)),
    "onnx_operator": (10, ("load",)),
    "tflite_operator": (10, ("load",)),
    "folder": (4, ("load", "run", "inspect", "verify", "compare", "goldens")),
}
KINDS = tuple(_OPERATIONS)
OPERATIONS = ("load", "isolated", "run", "inspect", "verify", "compare", "goldens", "witnesses", "signed")
_RUNTIMES = {
    "onnx": ("onnxruntime",),
    "external": ("onnxruntime",),
    "onnx_operator": ("onnxruntime",),
    "tflite_operator": ("litert", "litert", "litert_reference"),
    "tflite": ("litert", "litert", "litert_reference"),
    "keras": ("keras",),
    "saved_model": ("saved_model",),
}


def draw(bases: Sequence[Base], seed: int, number: int, kinds: Sequence[str] = KINDS) -> Mutation:
    """The mutation of that number."""
    rng = Random(f"{seed}/{number}")
    kind = rng.choices(kinds, [_OPERATIONS[each][0] for each in kinds])[0]
    base = rng.choice([base for base in bases if kind in base.kinds or kind in ("input", "folder")])
    operation = rng.choice(_OPERATIONS[kind][1])
    runtime = rng.choice(_RUNTIMES.get(kind, ("onnxruntime", "litert", "")))
    if kind == "input":
        path = rng.choice(list(base.tables))
    elif kind == "folder":
        path = rng.choice(["manifest.json", "report.json", "goldens.npz", "model.onnx", "model.tflite", "witnesses"])
    else:
        path = rng.choice(base.kinds[kind])
    edits = rng.choice((1, 1, 1, 1, 2, 3))
    stale = (
        kind not in ("manifest", "report", "input", "folder", "witness", "counterexample", "signed", *OPERATORS)
        and rng.random() < 0.03
    )
    return Mutation(number, seed, base, kind, path, operation, runtime, edits, stale)


def files_of(mutation: Mutation, chosen: Sequence[int] | None = None) -> tuple[Files, str]:
    """The mutated bundle, with the input of `run` beside it, and what was changed.

    Args:
        mutation: the mutation.
        chosen: which of its changes; all of them by default.
    """
    files: Files = dict(mutation.base.files)
    if mutation.kind in OPERATORS:
        drawn = operator_of(mutation, chosen)
        files[mutation.path] = drawn.content
        files["manifest.json"] = drawn.manifest(mutation.base.files["manifest.json"], mutation.path)
        return files, f"{mutation.path}: {drawn.what}"
    if mutation.operation == "run":
        files |= {f"../{name}": content for name, content in mutation.base.tables.items()}
    path = f"../{mutation.path}" if mutation.kind == "input" else mutation.path
    told = []
    for index in range(mutation.edits) if chosen is None else chosen:
        rng = Random(f"{mutation.seed}/{mutation.number}/{index}")
        if mutation.kind == "folder":
            special = _special(path, rng)
            files = {name: c for name, c in files.items() if not name.startswith(f"{path}/")}
            files[path] = special
            told.append(f"{special.what} {special.target}".strip())
            continue
        content = files[path]
        assert isinstance(content, bytes)
        for _ in range(5):
            try:
                what, new = _edit_of(mutation)(content, rng)
            except Exception:  # noqa: BLE001  an earlier change made the structure unreadable
                what, new = _bytes.edit(content, rng)
            if new != content:
                break
        files[path] = new
        told.append(what)
    changed = files.get(path)
    if isinstance(changed, bytes) and not mutation.stale and mutation.kind != "input":
        _correct_digests(files, mutation, changed)
    return files, f"{path}: {'; '.join(told)}"


def operator_of(mutation: Mutation, chosen: Sequence[int] | None = None) -> OneOperator:
    """The file of one operator that a mutation is; of its changes, as many as are chosen."""
    rng = Random(f"{mutation.seed}/{mutation.number}/operator")
    return OPERATORS[mutation.kind](rng, mutation.edits if chosen is None else len(chosen))


def _edit_of(mutation: Mutation) -> Edit:
    if mutation.kind != "input":
        kind = kind_of(mutation.path) if mutation.kind == "signed" else mutation.kind
        return _bytes.edit if "variables" in mutation.path else _EDITS[kind]
    return {".csv": _table.edit, ".npy": _npy.edit, ".npz": _arrays.edit}[PurePosixPath(mutation.path).suffix]


def _special(path: str, rng: Random) -> Special:
    what = rng.choice(("nothing", "link", "link", "link", "pipe", "folder", "sparse"))
    target = rng.choice((path, path, "/dev/zero", "/dev/null", path.rpartition("/")[2], "/", "/proc/self/mem", ".."))
    return Special(what, target if what == "link" else "")


def _correct_digests(files: Files, mutation: Mutation, content: bytes) -> None:
    """State the digest of the changed file where the healthy one's is stated: in the manifest, or in its own name."""
    old, new = sha256_of(mutation.base.files[mutation.path]), sha256_of(content)
    if mutation.path.startswith("saved_model/"):
        old, new = _folder_digest(mutation.base.files), _folder_digest(files)
    if mutation.kind in ("witness", "counterexample"):
        del files[mutation.path]
        prefix = "contract-" if mutation.kind == "counterexample" else ""
        files[f"{witnesses.FOLDER}/{witnesses.name_of(content, prefix)}"] = content
        return
    manifest = files["manifest.json"]
    if mutation.path != "manifest.json" and isinstance(manifest, bytes):
        files["manifest.json"] = manifest.replace(old.encode(), new.encode())


def _folder_digest(files: Mapping[str, bytes | Special]) -> str:
    """The digest of the SavedModel, as `kexport.bundle.digests` defines it."""
    inside = {p.removeprefix("saved_model/"): c for p, c in files.items() if p.startswith("saved_model/")}
    lines = [f"{p}\t{len(c)}\t{sha256_of(c)}\n" for p, c in sorted(inside.items()) if isinstance(c, bytes)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
