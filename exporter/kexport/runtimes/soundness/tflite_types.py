"""The types of an operator's operands: a kernel that does not check them reads and writes beyond their memory.

A rule has a letter for each input, `>`, and a letter for each output; `+` repeats the letter before it. `T` is one type
of numbers, the same wherever it stands, and `A` the same with strings; `W` is `T` or, where `T` is an integer, a wider
one; `M` and `B` are `T` among the types that kernels of matrices know; `*` is a rule of its own kernel, which checks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kexport.runtimes.soundness.flaw import FlawError
from kexport.runtimes.soundness.tflite_operators import kind_of
from kexport.runtimes.soundness.tflite_schema import STRING, TYPE_NAMES, OperatorRow, TensorRow

_HANDLES = {"resource", "variant"}
_NUMBERS = {index for index, name in enumerate(TYPE_NAMES) if name not in _HANDLES} - {STRING}
_INTEGERS = {index for index, name in enumerate(TYPE_NAMES) if name.startswith(("int", "uint"))}
_NAMED = {
    "n": _NUMBERS,
    "i": {index for index, name in enumerate(TYPE_NAMES) if name in ("int32", "int64")},
    "I": {TYPE_NAMES.index("int32")},
    "b": {TYPE_NAMES.index("bool")},
    "f": {index for index, name in enumerate(TYPE_NAMES) if "float" in name},
    "c": {index for index, name in enumerate(TYPE_NAMES) if name.startswith("complex")},
    "r": {TYPE_NAMES.index("resource")},
    "F": {TYPE_NAMES.index("float32")},
    "u": {TYPE_NAMES.index("uint8")},
    "s": {STRING},
    "k": {STRING, TYPE_NAMES.index("int64")},
    "q": {TYPE_NAMES.index(name) for name in ("int8", "uint8", "int16", "int32", "int4")},
}
#: Kernels that take a type which they do not know for the last one that they do.
_LIMITED = {
    letter: {TYPE_NAMES.index(name) for name in names.split()}
    for letter, names in {"M": "float32 int64 int32 int16 int8 uint8", "B": "float32 int8 int16"}.items()
}


def check_types(place: str, rule: str, operator: OperatorRow, tensors: Sequence[TensorRow]) -> None:
    """Raise `FlawError` where an operand has a type that the operator does not take."""
    if rule == "*":
        return
    inputs, _, outputs = rule.partition(">")
    common: int | None = None
    for letters, operands in ((inputs, operator.inputs), (outputs, operator.outputs)):
        for letter, tensor in zip(_repeated(letters, len(operands)), operands, strict=False):
            if tensor < 0:
                continue
            found = tensors[tensor].type
            if letter in "TAMB" and common is None:
                common = found
            if found not in _allowed(letter, common):
                expected = " or ".join(TYPE_NAMES[number] for number in sorted(_allowed(letter, common)))
                raise FlawError(f"the type of tensor {tensor} of {place}", TYPE_NAMES[found], expected)


def takes_sizes(operator: OperatorRow, index: int) -> bool:
    """Whether an input is a list of sizes, axes or indices, which may be empty."""
    kind = kind_of(operator.code)
    return kind is None or kind.types == "*" or kind.types.partition(">")[0][index : index + 1] in ("i", "I")


def _repeated(letters: str, count: int) -> Iterator[str]:
    """A letter for each operand."""
    if letters.endswith("+"):
        letters = letters[:-1] + letters[-2] * count
    return iter(letters)


def _allowed(letter: str, common: int | None) -> set[int]:
    if letter in _NAMED:
        return _NAMED[letter]
    if letter in _LIMITED and common is not None:
        return {common} if common in _LIMITED[letter] else _LIMITED[letter]
    if common is None:
        return _NUMBERS
    same = {common} & (_NUMBERS | {STRING} if letter == "A" else _NUMBERS)
    return same | _INTEGERS if letter == "W" and common in _INTEGERS else same
