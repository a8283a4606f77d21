"""A recurrent layer in the traced graph: the parts of the call of the function that computes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kexport.factory.graph.protocols import Operation, Tensor

#: What lowerings of recurrent layers name as the type of the operation that they replace.
RECURRENT = "recurrent"


@dataclass(frozen=True)
class Recurrence:
    """A call that computes a recurrent layer; stands for the operation where a lowering gets one.

    Attributes:
        settings: the settings of the layer, as `corrections/recurrent.py` records them.
        sequences: (batch, time, features).
        states: the initial ones, (batch, units) each.
        mask: (batch, time), or None.
        weights: kernel, recurrent_kernel and, if the layer has one, bias.
        last_state_is_read: whether anything uses the last of the last states: of an LSTM, that of the cell.
    """

    settings: Mapping[str, Any]
    sequences: Tensor
    states: Sequence[Tensor]
    mask: Tensor | None
    weights: Mapping[str, Tensor]
    last_state_is_read: bool

    @classmethod
    def of(cls, settings: Mapping[str, Any], op: Operation, inputs: Sequence[Tensor]) -> Recurrence | None:
        """The call with these inputs; None where it captures other than the layer's weights, or is not in float32.

        Args:
            settings: those of the layer.
            op: the call in the traced graph.
            inputs: what stands for its inputs.
        """
        import tensorflow as tf

        first = 1 + settings["states"]
        mask = inputs[first] if settings["masked"] else None
        captured = inputs[first + settings["masked"] :]
        wanted = ["kernel", "recurrent_kernel", *(["bias"] if settings["use_bias"] else [])]
        if sorted(settings["captures"]) != sorted(wanted) or len(captured) != len(wanted):
            return None
        sequences, states, weights = inputs[0], inputs[1:first], dict(zip(settings["captures"], captured, strict=True))
        single = all(tensor.dtype == tf.float32 for tensor in (sequences, *states, *weights.values()))
        usable = single and sequences.shape.rank == 3 and (mask is None or mask.shape.rank == 2)
        return cls(settings, sequences, states, mask, weights, _is_read(op.outputs[-1])) if usable else None

    @property
    def backwards(self) -> bool:
        """Whether the last step in time is computed first."""
        return bool(self.settings["go_backwards"])

    def starts_at_zero(self) -> bool:
        """Whether all initial states are known to be zero."""
        return all(map(_is_zero, self.states))


def _is_read(tensor: Tensor) -> bool:
    """Whether an operation takes a tensor, or its function returns it."""
    return bool(tensor.consumers()) or any(each is tensor for each in getattr(tensor.graph, "outputs", ()))


def _is_zero(tensor: Tensor) -> bool:
    import tensorflow as tf

    if tensor.op.type == "Fill":
        tensor = tensor.op.inputs[1]
    value = tf.get_static_value(tensor)
    return value is not None and not value.any()


@dataclass(frozen=True)
class UnmaskedSteps:
    """A masked sequence with its unmasked steps first, in the order of computation.

    Masked steps change no state, so a layer computes the same on the unmasked steps alone.

    Attributes:
        sequences: (batch, time, features); what follows the unmasked steps is arbitrary.
        counts: the number of unmasked steps, (batch,).
        places: for each step, how many unmasked steps there are up to it, itself included; (batch, time).
        mask: for each step, whether it is unmasked. Both in the order of computation.
    """

    sequences: Tensor
    counts: Tensor
    places: Tensor
    mask: Tensor

    @classmethod
    def of(cls, recurrence: Recurrence) -> UnmaskedSteps:
        """The steps of a masked recurrence."""
        import tensorflow as tf

        mask = tf.cast(recurrence.mask, tf.int32)
        if recurrence.backwards:
            mask = tf.reverse(mask, [1])
        length = tf.shape(mask)[1]
        # Distinct keys, the largest first: T - t of an unmasked step t, -t of a masked one.
        keys = mask * length - tf.range(length)
        order = tf.math.top_k(tf.cast(keys, tf.float32), length).indices
        if recurrence.backwards:
            order = length - 1 - order
        sequences = tf.gather(recurrence.sequences, order, batch_dims=1)
        sequences.set_shape(recurrence.sequences.shape)
        return cls(sequences, tf.reduce_sum(mask, 1), tf.cumsum(mask, 1), mask)

    def spread(self, outputs: Tensor, zero_if_masked: bool) -> Tensor:
        """Outputs of the unmasked steps, (batch, time, units), at every step: a masked one repeats what precedes it."""
        import tensorflow as tf

        spread = tf.gather(outputs, tf.maximum(self.places - 1, 0), batch_dims=1)
        return spread * tf.cast((self.mask if zero_if_masked else self.places)[:, :, tf.newaxis] > 0, spread.dtype)

    def kept(self, new: Tensor, old: Tensor) -> Tensor:
        """The new state, or output, of a sample that has an unmasked step, else the old one."""
        import tensorflow as tf

        return tf.where(self.counts[:, tf.newaxis] > 0, new, old)
