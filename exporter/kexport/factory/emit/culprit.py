"""An operation that a format lacks, and whose it is."""

from __future__ import annotations

from dataclasses import dataclass

from kexport.factory.graph.protocols import Operation, Tensor


@dataclass(frozen=True)
class Culprit:
    """An operation that a format lacks, and whose it is.

    Attributes:
        kind: the type of the operation.
        layer: the layer, or the operation of a functional model, that it belongs to, in words.
        line: the line of the user's own code that made it, if any did.
        recurrent: whether the layer is a recurrent one of Keras.
        dtypes: of what it takes and gives, as far as they are known.
        sizes: whether all its sizes but the batch are known.
        fixed: whether all that it takes are constants.
        writable_as: another dtype, for which the format can write the operation.
        strip: what takes off the wrapper for training that it belongs to, where it does.
    """

    kind: str
    layer: str
    line: str | None = None
    recurrent: bool = False
    dtypes: frozenset[str] = frozenset()
    sizes: bool = True
    fixed: bool = False
    writable_as: str | None = None
    strip: str | None = None

    @classmethod
    def of(cls, kind: str, op: Operation | None, layer: str, line: str | None, recurrent: bool) -> Culprit:
        """What the operation of the traced graph says, where it is known."""
        if op is None:
            return cls(kind, layer, line, recurrent)
        tensors = (*op.inputs, *op.outputs)
        dtypes = frozenset(tensor.dtype.name for tensor in tensors)
        fixed = all(tensor.op.type == "Const" for tensor in op.inputs)
        return cls(kind, layer, line, recurrent, dtypes, all(map(_sized, tensors)), fixed)

    @property
    def place(self) -> str:
        """The layer, and the line of the user's code."""
        return f"{self.layer}, {self.line}" if self.line else self.layer

    @property
    def words(self) -> str:
        """What it is, and where."""
        return f"{self.kind} in {self.place}"


def _sized(tensor: Tensor) -> bool:
    return tensor.shape.rank is not None and None not in tensor.shape.as_list()[1:]
