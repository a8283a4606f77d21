"""Ways out for operations that a format lacks: what to do about each, from its type, its dtypes and its sizes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kexport.factory.emit.culprit import Culprit
from kexport.factory.lowerings import needed_by

PYTHON = re.compile(r"PyFunc|NumpyFunction")
RANDOM = re.compile(r"^(Stateless)?(Random|Multinomial|TruncatedNormal|ParameterizedTruncatedNormal)|^Rng")


@dataclass(frozen=True)
class _Way:
    """What to do about the operations of some types, or on some dtypes."""

    types: str
    words: str
    dtypes: tuple[str, ...] = ()

    def fits(self, culprit: Culprit) -> bool:
        """Whether it is a way out for this operation."""
        if self.dtypes:
            return bool(culprit.dtypes & {*self.dtypes})
        return re.search(self.types, culprit.kind) is not None


_TEXT = _Way("", "turn text into numbers in preprocessing, and pass the model these", ("string",))
#: The first that fits is told. Each names what exists in every format, or what to do outside of the model.
WAYS = (
    _Way(PYTHON.pattern, "Python code stays where the model was made: write it with keras.ops"),
    _Way(RANDOM.pattern, "draw no random numbers when training is False, or take them as an input of the model"),
    _Way("^XlaCallModule$", "write the layer with keras.ops, where it calls JAX; or build the model's .keras file"),
    _Way("^Timestamp$", "take the time as an input of the model"),
    _Way("Dataset|Iterator", "read data before the model, and pass it in as tensors"),
    _Way("^(Decode|Encode)|ReadFile|WriteFile", "decode and encode outside of the model, and pass numbers"),
    _Way("HashBucket|Fingerprint|FarmHash|SparseCross", "hash in preprocessing, and pass the number of the bucket"),
    _TEXT,
    _Way("Sparse|Ragged|^Set|ToDenseSet|DenseToSparse", "use dense tensors, with a mask for what is not there"),
    _Way("^(Ref)?Enter$", "call tf.compat.v1.enable_control_flow_v2() before the graph is made, and save it again"),
    _Way("^EmptyTensorList$", "take no gradient of a loop: of a recurrent layer, unroll=True"),
    _Way("^TensorList", "let all items of the TensorArray have one known shape (element_shape=...), and stack() them"),
    _Way("", 'quantize("int8") instead of "float8"', ("float8_e4m3fn", "float8_e5m2")),
    _Way("^Eig$", "keras.ops.eigh, where the matrices are symmetric, and only the eigenvalues are used"),
    _Way("^eigenvectors$|^singular vectors$", "use the values alone, or compute the vectors outside of the model"),
    _Way("", "pass and compute the real and the imaginary part as two real tensors", ("complex64", "complex128")),
    _Way("^NonMaxSuppressionV5$", "pad_to_max_output_size=False, or the suppression outside of the model"),
    _Way("^Transpose$", "fixed sizes for all axes but one, and a fixed order: reshape what stays together"),
    _Way("^MatrixSolveLs$", "keras.ops.solve of the normal equations, x' x and x' y"),
    _Way("^TridiagonalSolve$", "keras.ops.solve of the whole matrix"),
)  # fmt: skip


def ways_out(culprits: Sequence[Culprit], format_name: str) -> list[str]:
    """What to do about some operations, besides leaving the format out; empty where nothing is known."""
    known = {culprit: _known(culprit, format_name) for culprit in culprits}
    elsewhere = {culprit.place for culprit, way in known.items() if way and way != _TEXT.words}
    ways = dict.fromkeys(
        way for culprit, way in known.items() if way and (way != _TEXT.words or culprit.place not in elsewhere)
    )
    by_dtype: dict[tuple[str, str], list[Culprit]] = {}
    for culprit, way in known.items():
        if way is None and culprit.writable_as is not None:
            by_dtype.setdefault((culprit.place, culprit.writable_as), []).append(culprit)
    ways |= dict.fromkeys(_as_dtype(alike, dtype, format_name) for (_, dtype), alike in by_dtype.items())
    helped = {culprit.place for culprit, way in known.items() if way or culprit.writable_as}
    rest = dict.fromkeys(culprit.line for culprit in culprits if culprit.line and culprit.place not in helped)
    if rest:
        ways[f"write {', '.join(map(str, rest))} with other operations of keras.ops, or compute that elsewhere"] = None
    return [*ways]


def _known(culprit: Culprit, format_name: str) -> str | None:
    for way in WAYS:
        if way.fits(culprit):
            return way.words
    if culprit.writable_as is None and not culprit.sizes and culprit.kind in needed_by(format_name):
        return f"{format_name} can have {culprit.kind} of known sizes: keras.Input(shape=...) without None"
    return None


def _as_dtype(alike: Sequence[Culprit], dtype: str, format_name: str) -> str:
    """What to do about operations of one place that the format has for another dtype."""
    kinds, first = ", ".join(sorted({culprit.kind for culprit in alike})), alike[0]
    if first.line is None and first.layer.startswith("layer "):
        way = f"give {first.layer} dtype={dtype!r}"
    else:
        way = f"keras.ops.cast(x, {dtype!r}) before it"
    return f"{format_name} has {kinds} for {dtype}: {way}, if that is exact enough"
