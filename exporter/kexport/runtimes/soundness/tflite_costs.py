"""What a call of a TFLite file may take, how much memory its tensors need at a time, and what may end the process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from kexport.runtimes.soundness.tflite_schema import INT8, INT32, INT64, UINT8, OperatorRow, SubgraphRows, TensorRow
from kexport.runtimes.soundness.tflite_work import count

#: The elements from which a softmax of 8 bits may end the process, see `may_abort`.
ABORTING_SOFTMAX = 512
_INTEGERS = frozenset({INT32, INT64, 7, 9})  # with int16 and int8
_WIDTHS = (4, 2, 4, 1, 8, 16, 1, 2, 8, 1, 8, 16, 8, 8, 8, 4, 2, 1, 2, 1, 1, 1, 1)  # in bytes, by the number of the type


class CallLimits(NamedTuple):
    """What a call may take in the caller's process.

    Attributes:
        bytes: of tensors at a time.
        seconds: of one core.
        reference: whether reference kernels run it.
    """

    bytes: int
    seconds: float
    reference: bool = False


def most_at_a_time(subgraph: SubgraphRows) -> tuple[int, OperatorRow | None]:
    """The most bytes that the tensors of a subgraph take at a time, constants left out, and the operator that runs."""
    last = {tensor: number for number, operator in enumerate(subgraph.operators) for tensor in operator.inputs}
    last.update(dict.fromkeys(subgraph.outputs, len(subgraph.operators)))
    ending: dict[int, list[int]] = {}
    held = sum(size_of(subgraph.tensors[tensor]) for tensor in {*subgraph.inputs})
    most, where = held, None
    alive = {*subgraph.inputs}
    for tensor in alive:
        ending.setdefault(last.get(tensor, -1), []).append(tensor)
    for number, operator in enumerate(subgraph.operators):
        for tensor in {*operator.outputs} - alive:
            alive.add(tensor)
            held += size_of(subgraph.tensors[tensor])
            ending.setdefault(max(last.get(tensor, number), number), []).append(tensor)
        if held > most:
            most, where = held, operator
        held -= sum(size_of(subgraph.tensors[tensor]) for tensor in ending.pop(number, ()))
    return most, where


def may_overflow(
    operator: OperatorRow, tensors: Sequence[TensorRow], constant: Callable[[TensorRow], Sequence[int] | None]
) -> bool:
    """Whether the values of a call decide if the least integer is divided by -1: processors stop there.

    Of the operators that divide, `FLOOR_MOD` alone was seen to.

    Args:
        operator: the operator.
        tensors: those of its subgraph.
        constant: the numbers of a constant of integers; None for anything else.
    """
    if operator.name != "FLOOR_MOD" or tensors[operator.inputs[1]].type not in _INTEGERS:
        return False
    divisor = constant(tensors[operator.inputs[1]])
    return divisor is None or -1 in divisor


def may_abort(operator: OperatorRow, tensors: Sequence[TensorRow]) -> bool:
    """Whether the values of a call decide if a reference kernel ends the process.

    Of 512 elements or more that are nearly equal, the sum of a softmax of 8 bits is more than its kernel takes: 511
    were seen to pass, and 512 to abort.
    """
    if operator.name != "SOFTMAX":
        return False
    logits = tensors[operator.inputs[0]]
    return logits.type in (INT8, UINT8) and not (
        logits.shape and 1 < logits.shape[-1] < ABORTING_SOFTMAX
    )  # 1 stands for any


def size_of(tensor: TensorRow) -> int:
    """The bytes that a tensor takes during a call; none where it is a constant."""
    if tensor.constant is not None:
        return 0
    return count(tensor.shape) * (_WIDTHS[tensor.type] if 0 <= tensor.type < len(_WIDTHS) else 1)
