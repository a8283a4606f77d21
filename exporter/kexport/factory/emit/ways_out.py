"""Ways out for operations that a format lacks: what to do about each, from its type, its dtypes and its sizes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kexport.factory.emit.culprit import Culprit
from kexport.factory.lowerings import needed_by

PYTHON = re.compile(r"PyFunc|NumpyFunction")
RANDOM = re.compile(r"^(Stateless)?(Random|Multinomial|TruncatedNormal|ParameterizedTruncatedNormal)|^Rng")

_COMPLEX = ("complex64", "complex128")


@dataclass(frozen=True)
class _Way:
    """What to do about the operations of some types, or on some dtypes.

    Attributes:
        types: a pattern of the types of the operations.
        words: what to do.
        dtypes: of what the operations take or give; they count in place of types.
        layers: a pattern of the layers that have it, in words.
        formats: those that have it; all where none is named.
        rank: of several ways at one place, those of the lowest rank are told: the others are for what goes with these.
    """

    types: str
    words: str
    dtypes: tuple[str, ...] = ()
    layers: str = ""
    formats: tuple[str, ...] = ()
    rank: int = 0

    def fits(self, culprit: Culprit, format_name: str) -> bool:
        """Whether it is a way out for this operation in this format."""
        if self.formats and format_name not in self.formats:
            return False
        if re.search(self.layers, culprit.layer) is None:
            return False
        if self.dtypes:
            return bool(culprit.dtypes & {*self.dtypes})
        return re.search(self.types, culprit.kind) is not None


DRAWN = _Way(RANDOM.pattern, "draw no random numbers when training is False, or take them as an input of the model")
#: The first that fits is told. Each names what exists in every format, or what to do outside of the model.
WAYS = (
    _Way(PYTHON.pattern, "Python code stays where the model was made: write it with keras.ops"),
    DRAWN,
    _Way("^XlaCallModule$", "write the layer with keras.ops, where it calls JAX; or build the model's .keras file"),
    _Way("^Timestamp$", "take the time as an input of the model"),
    _Way("Dataset|Iterator", "read data before the model, and pass it in as tensors"),
    _Way("^(Decode|Encode)|ReadFile|WriteFile", "decode and encode outside of the model, and pass numbers"),
    _Way("HashBucket", "num_oov_indices=1, which needs no hash", layers=r"\(StringLookup\)$", formats=("onnx",)),
    _Way("HashBucket|Fingerprint|FarmHash|SparseCross", "hash in preprocessing, and pass the number of the bucket"),
    _Way("", "turn text into numbers in preprocessing, and pass the model these", ("string",), rank=1),
    _Way(
        "Sparse|Ragged|^Set|ToDenseSet|DenseToSparse", "use dense tensors, with a mask for what is not there", rank=2
    ),
    _Way("^(Ref)?Enter$", "call tf.compat.v1.enable_control_flow_v2() before the graph is made, and save it again"),
    _Way("^EmptyTensorList$", "take no gradient of a loop: of a recurrent layer, unroll=True"),
    _Way("^(Stateless)?While$", "unroll the loop: of a recurrent layer, unroll=True; of your own, with Python's `for`"),
    _Way("^TensorList", "let all items of the TensorArray have one known shape (element_shape=...), and stack() them"),
    _Way("", 'quantize("int8") instead of "float8"', ("float8_e4m3fn", "float8_e5m2")),
    _Way("^Eig$", "keras.ops.eigh, where the matrices are symmetric, and only the eigenvalues are used"),
    _Way("^eigenvectors$|^singular vectors$", "use the values alone, or compute the vectors outside of the model"),
    _Way("", "pass and compute the real and the imaginary part as two real tensors", _COMPLEX, rank=2),
    _Way("^NonMaxSuppressionV5$", "pad_to_max_output_size=False, or the suppression outside of the model"),
    _Way("^Transpose$", "give the order of the axes as numbers, not as a computed tensor", formats=("onnx",)),
    _Way("^Transpose$", "fixed sizes for all axes but one, or a reshape of axes that stay side by side to one"),
    _Way("^Placeholder$", "make the table, or other resource, an attribute of the layer in `__init__`"),
    _Way("^MatrixSolveLs$", "keras.ops.solve of the normal equations, x' x and x' y"),
    _Way("^TridiagonalSolve$", "keras.ops.solve of the whole matrix"),
)  # fmt: skip


def redrawn(culprits: Iterable[Culprit]) -> bool:
    """Whether operations draw other random numbers at every call, as those of a fixed seed do not."""
    drawing = [culprit for culprit in culprits if RANDOM.search(culprit.kind)]
    return any(
        not each.fixed if each.kind == "StatelessRandomGetKeyCounter" else not each.kind.startswith("Stateless")
        for each in drawing
    )


def ways_out(culprits: Sequence[Culprit], format_name: str) -> list[str]:
    """What to do about some operations, besides leaving the format out; empty where nothing is known."""
    known = {culprit: _known(culprit, format_name) for culprit in culprits}
    rank: dict[str, int] = {}
    for culprit, way in known.items():
        if way:
            rank[culprit.place] = min(way.rank, rank.get(culprit.place, way.rank))
    ways = dict.fromkeys(way.words for culprit, way in known.items() if way and way.rank == rank[culprit.place])
    by_dtype: dict[tuple[str, str | None, str], list[Culprit]] = {}
    writable = [culprit for culprit, way in known.items() if way is None and culprit.writable_as is not None]
    for culprit in writable:
        place = (_outermost(culprit, writable), culprit.line, str(culprit.writable_as))
        by_dtype.setdefault(place, []).append(culprit)
    ways |= dict.fromkeys(_as_dtype(alike, layer, dtype, format_name) for (layer, _, dtype), alike in by_dtype.items())
    helped = {culprit.place for culprit, way in known.items() if way or culprit.writable_as}
    rest = dict.fromkeys(culprit.line for culprit in culprits if culprit.line and culprit.place not in helped)
    if rest:
        ways[f"write {', '.join(map(str, rest))} with other operations of keras.ops, or compute that elsewhere"] = None
    return [*ways]


def _known(culprit: Culprit, format_name: str) -> _Way | None:
    if culprit.writable_as is not None:  # its dtype alone is at fault
        return None
    for way in WAYS:
        if way.fits(culprit, format_name):
            return way
    if not culprit.sizes and culprit.kind in needed_by(format_name):
        words = f"{format_name} can have {culprit.kind} of known sizes: keras.Input(shape=...) without None"
        return _Way("", words)
    return None


def _outermost(culprit: Culprit, culprits: Sequence[Culprit]) -> str:
    """The layer whose dtype is that of a culprit too: of a cell, the recurrent layer around it."""
    around = (
        other.layer
        for other in culprits
        if culprit.line is None and other.line is None and other.writable_as == culprit.writable_as
        if _path(culprit.layer).startswith(_path(other.layer) + "/")
    )
    return min(around, key=len, default=culprit.layer)


def _path(layer: str) -> str:
    """The names in the words for a layer: `lstm/lstm_cell` of `layer 'lstm/lstm_cell' (LSTMCell)`."""
    found = re.search(r"'([^']+)'", layer)
    return found[1] if found else layer


def _as_dtype(alike: Sequence[Culprit], layer: str, dtype: str, format_name: str) -> str:
    """What to do about operations of one place that the format has for another dtype."""
    kinds = ", ".join(sorted({culprit.kind for culprit in alike}))
    way = f"keras.ops.cast(x, {dtype!r}) before it"
    if alike[0].line is None and layer.startswith("layer "):
        way = f"give {layer} dtype={dtype!r}"
        if not any("float" in name for culprit in alike for name in culprit.dtypes):
            way += f", and keras.ops.cast(x, {dtype!r}) what it gets"  # a layer casts numbers with a point alone
    return f"{format_name} has {kinds} for {dtype}: {way}, if that is exact enough"
