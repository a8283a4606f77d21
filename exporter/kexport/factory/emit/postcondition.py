"""The postcondition of every lowering: its outputs match those of the operation that it replaces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kexport.factory.emit.trail import layer_of
from kexport.factory.graph.broadcast_sizes import Broadcast
from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.graph.tensor_lists import Reserved
from kexport.factory.lowerings import ComplexPair, Lowering, Missing


class LoweringError(Exception):
    """The outputs of a lowering do not match the operation that it replaces: a bug in kexport, not in the model."""


@dataclass(frozen=True)
class Lowered:
    """The result of a lowering.

    Attributes:
        lowering: the lowering that was applied.
        op: the operation of the traced graph.
        inputs: what stands for its inputs in the new graph.
        outputs: what the lowering returned: tensors; a `ComplexPair` for a complex one, a `Missing` for any, and for a
            list of tensors whatever represents it.
    """

    lowering: Lowering
    op: Operation
    inputs: Sequence[object]
    outputs: Sequence[object]

    def require_alike(self, name: str, scopes: Mapping[str, str]) -> None:
        """Require as many outputs as the operation has, of its dtypes and with compatible static shapes.

        Args:
            name: the name of the operation in the new graph.
            scopes: for each scope in the graph, the layer or operation that opened it, in words.

        Raises:
            LoweringError: they differ.
        """
        faults = list(self._faults())
        if faults:
            subject = f"lowering {self.lowering.name} of {self.op.type} in {layer_of(name, scopes)} ({name})"
            raise LoweringError(f"{subject}: {'; '.join(faults)}")

    def _faults(self) -> Iterator[str]:
        import tensorflow as tf

        if len(self.outputs) != len(self.op.outputs):
            yield f"it returned {len(self.outputs)} outputs instead of {len(self.op.outputs)}"
            return
        for index, (output, replaced) in enumerate(zip(self.outputs, self.op.outputs, strict=True)):
            if isinstance(output, Missing | Reserved | Broadcast):
                continue  # nothing uses the first, the second is a list without a shape yet, the third axes
            if not isinstance(output, tf.Tensor | ComplexPair):
                yield f"output {index} is not a tensor but {type(output).__name__}"
            elif replaced.dtype != tf.variant:  # a list is one tensor here, of which the traced graph knows nothing
                yield from (f"output {index} {fault}" for fault in self._differences(output, replaced))

    def _differences(self, output: Tensor | ComplexPair, replaced: Tensor) -> Iterator[str]:
        dtype = replaced.dtype.name
        if output.dtype.name not in (dtype, self.lowering.narrowed.get(dtype)):
            yield f"has dtype {output.dtype.name} instead of {dtype}"
        if replaced.shape.rank is None:
            return
        if output.shape.rank is None:
            yield f"lost its rank, which was {replaced.shape.rank}"
        elif output.shape.rank != replaced.shape.rank or (
            self._has_same_sizes() and not output.shape.is_compatible_with(replaced.shape)
        ):
            yield f"has shape {output.shape} instead of {replaced.shape}"

    def _has_same_sizes(self) -> bool:
        """Whether the outputs must have the sizes that they had: not between operations that are replaced together."""
        import tensorflow as tf

        if self.lowering.inner is not None:
            return not self.lowering.inner(self.op)
        return all(
            value.shape.is_compatible_with(replaced.shape)
            for value, replaced in zip(self.inputs, self.op.inputs, strict=True)
            if isinstance(value, tf.Tensor | ComplexPair) and replaced.dtype != tf.variant
        )
