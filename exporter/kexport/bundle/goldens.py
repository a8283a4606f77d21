"""Golden inputs with their true outputs, stored as numbers in an `.npz` without pickles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kexport.bundle import npz
from kexport.bundle.archives import EXPANSION, Archive
from kexport.bundle.signature import Array, Signature
from kexport.errors import BundleError

FILE_NAME = "goldens.npz"


@dataclass(frozen=True)
class Golden:
    """One case: inputs and the right outputs.

    Attributes:
        label: the kind of input, in a few words.
        inputs: one array per input, in the dtype of the input.
        truth: one array per output; float64 for real outputs, complex128 for complex ones.
        keras_output: Keras' own outputs where float32 legitimately differs from the truth: by more than the limit, or
            by NaN or infinity in other places. Both answers are right.
        ulp_sensitivity: for outputs where it exceeds half of the limit anywhere: how far each element of the truth
            moves, in the output's unit, when inputs, weights and operations inside move by one unit in the last place;
            1 where a whole number changes.
    """

    label: str
    inputs: Mapping[str, Array]
    truth: Mapping[str, Array]
    keras_output: Mapping[str, Array] = field(default_factory=dict)
    ulp_sensitivity: Mapping[str, Array] = field(default_factory=dict)


#: Kinds of dtypes in which the truth of an output that is no real number may be stored.
_LIKE = {"b": "b", "i": "iu", "u": "iu", "U": "U"}
#: The parts of a golden as its file names them; every golden has the first two.
_PARTS = {"input": "inputs", "truth": "truth", "own": "keras_output", "moves": "ulp_sensitivity"}


def write(path: Path, goldens: Sequence[Golden]) -> None:
    """Write the arrays deterministically as `N/input/NAME`, `N/truth/NAME`, `N/own/NAME` and `N/moves/NAME`."""
    named: dict[str, Array] = {}
    for index, golden in enumerate(goldens):
        named |= arrays_of(index, golden)
    npz.write(path, named)


def stream(path: Path, signature: Signature, labels: Sequence[str], expansion: int = EXPANSION) -> Iterator[Golden]:
    """The goldens of a bundle in order, one in memory at a time.

    Args:
        path: the path of the file.
        signature: the signature of the model.
        labels: the label of each golden.
        expansion: by how many bytes the arrays may be larger than the file.

    Raises:
        BundleError: the file is damaged or lacks an array.
    """
    try:
        stored = npz.NpzArrays(Archive(path, expansion=expansion))
        for index, label in enumerate(labels):
            golden = golden_in(stored, index, label, signature)
            require_whole(golden, signature)
            yield golden
            stored.release()
    except (OSError, ValueError, KeyError) as error:
        raise BundleError(f"{path.name} is damaged", got=error, hint="build the bundle again") from None


def require_whole(golden: Golden, signature: Signature, *, of_runtime: bool = False) -> None:
    """Raise `ValueError` unless the truth has its precision, and all that is beside it fits it.

    Args:
        golden: what is judged.
        signature: of its model.
        of_runtime: whether the truth is what a runtime answered, which has at least the dtype of the output.
    """
    for spec in signature.outputs:
        truth, kind = golden.truth[spec.name], spec.numpy_dtype.kind
        wanted = "complex128" if kind == "c" else "float64" if kind == "f" else ""
        if of_runtime and truth.dtype == spec.numpy_dtype:
            wanted = spec.dtype
        if truth.dtype.name != wanted if wanted else truth.dtype.kind not in _LIKE[kind]:
            wanted = wanted or spec.dtype
            raise ValueError(f"the truth of output {spec.name!r} is {truth.dtype}, not {wanted}")
        of_text = kind == "U"
        kinds = ((golden.keras_output, of_text), (golden.ulp_sensitivity, False))  # how far a text moves is a number
        for beside, text in ((part.get(spec.name), text) for part, text in kinds):
            if beside is not None and (beside.shape != truth.shape or (beside.dtype.kind == "U") != text):
                what = f"{beside.dtype} of shape {beside.shape}"
                raise ValueError(f"what is stored beside the truth of output {spec.name!r} is {what}")


def arrays_of(index: int, golden: Golden) -> dict[str, Array]:
    """The arrays of one golden by their names in a file."""
    return {
        f"{index}/{part}/{name}": value
        for part, attribute in _PARTS.items()
        for name, value in getattr(golden, attribute).items()
    }


def golden_in(stored: Mapping[str, Array], index: int, label: str, signature: Signature) -> Golden:
    """One golden of an open file.

    Raises:
        KeyError: it lacks an array.
    """
    outputs = [spec.name for spec in signature.outputs]
    return Golden(
        label,
        {spec.name: stored[f"{index}/input/{spec.name}"] for spec in signature.inputs},
        {name: stored[f"{index}/truth/{name}"] for name in outputs},
        {name: stored[key] for name in outputs if (key := f"{index}/own/{name}") in stored},
        {name: stored[key] for name in outputs if (key := f"{index}/moves/{name}") in stored},
    )
