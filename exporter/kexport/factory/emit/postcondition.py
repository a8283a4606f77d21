"""What every lowering must give: outputs like those of the operation that it replaces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kexport.factory.emit.refusal import layer_of
from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.graph.tensor_lists import Reserved
from kexport.factory.lowerings import ComplexPair, Lowering, Missing


class LoweringError(Exception):
    """A lowering gave something else than the operation it replaces: a fault of kexport, not of the model."""


def checked(
    lowering: Lowering, op: Operation, outputs: Sequence[object], name: str, scopes: Mapping[str, str]
) -> list[object]:
    """The outputs of a lowering, which are as many as the operation's, with its dtypes and compatible static shapes.

    Args:
        lowering: that gave them.
        op: the operation of the traced graph that they replace.
        outputs: tensors; a `ComplexPair` in place of a complex one, a `Missing` in place of any, and a list of tensors
            in whatever represents it.
        name: of the operation in the new graph.
        scopes: of each scope in the graph, the layer or operation that opened it, in words.

    Raises:
        LoweringError: they differ from the operation's.
    """
    faults = list(_faults(lowering, op, outputs))
    if faults:
        layer = layer_of(name, scopes)
        raise LoweringError(f"lowering {lowering.name} of {op.type} in {layer} ({name}): {'; '.join(faults)}")
    return list(outputs)


def _faults(lowering: Lowering, op: Operation, outputs: Sequence[object]) -> Iterator[str]:
    import tensorflow as tf

    if len(outputs) != len(op.outputs):
        yield f"it gave {len(outputs)} outputs in place of {len(op.outputs)}"
        return
    for index, (output, replaced) in enumerate(zip(outputs, op.outputs, strict=True)):
        if isinstance(output, Missing | Reserved):
            continue  # what has no tensor, or a list without a shape yet
        if not isinstance(output, tf.Tensor | ComplexPair):
            yield f"output {index} is no tensor but {type(output).__name__}"
        elif replaced.dtype != tf.variant:  # a list of tensors is one tensor, which the traced graph knows nothing of
            yield from _differences(lowering, f"output {index}", output, replaced)


def _differences(lowering: Lowering, subject: str, output: Tensor | ComplexPair, replaced: Tensor) -> Iterator[str]:
    dtype = lowering.narrowed.get(replaced.dtype.name, replaced.dtype.name)
    if output.dtype.name not in (dtype, replaced.dtype.name):
        yield f"{subject} has dtype {output.dtype.name} in place of {dtype}"
    if replaced.shape.rank is not None and output.shape.rank is None:
        yield f"{subject} lost its rank, which was {replaced.shape.rank}"
    elif not output.shape.is_compatible_with(replaced.shape):
        yield f"{subject} has shape {output.shape} in place of {replaced.shape}"
