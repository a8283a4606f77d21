"""One call of a layer with the truth of its outputs."""

from __future__ import annotations

from dataclasses import dataclass

from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Array, TensorSpec
from kexport.factory.localisation.layer_graph import TracedCall
from kexport.parity.conditioning import distance
from kexport.parity.layer_report import CLEAR


@dataclass(frozen=True)
class LayerOutput:
    """One output of a layer.

    Attributes:
        tensor: its name in the traced graph.
        spec: name, dtype, shape.
        limit: how far an artifact's value may be from the truth.
        truth: in float64 where it is a floating-point tensor.
        keras_output: what Keras computes.
        ulp_sensitivity: how far one unit in the last place of inputs and weights moves each element.
        recurrent: whether the first axis after the batch may count the steps of a recurrent layer.
        given: the input of the model that was traced as this output; None where something is computed.
    """

    tensor: str
    spec: TensorSpec
    limit: OutputLimit
    truth: Array
    keras_output: Array
    ulp_sensitivity: Array
    recurrent: bool = False
    given: Array | None = None

    def agrees_with(self, other: LayerOutput) -> bool:
        """Whether both have the same truth, but for noise."""
        if self.truth.shape != other.truth.shape or self.truth.dtype != other.truth.dtype:
            return False
        if self.truth.dtype.kind != "f":
            return bool((self.truth == other.truth).all())
        allowed = CLEAR * max(self.limit.limit * self.limit.scale, other.limit.limit * other.limit.scale)
        return float(distance(self.truth, other.truth).max(initial=0.0)) <= allowed


@dataclass(frozen=True)
class LayerTruth:
    """A call of a layer with the truth of its outputs; without outputs where it could not be observed eagerly.

    Attributes:
        call: the call in the traced graph.
        outputs: its outputs as Keras computes them eagerly.
        same_as: the call whose results it passes on unchanged, both when it is traced and eagerly.
    """

    call: TracedCall
    outputs: tuple[LayerOutput, ...]
    same_as: str = ""

    @property
    def name(self) -> str:
        """Of the call."""
        return self.call.name

    @property
    def is_traced_to_the_identity(self) -> bool:
        """Whether the graph passes on what it takes, though its truth is another."""
        given = bool(self.outputs) and all(output.given is not None for output in self.outputs)
        return not self.same_as and (bool(self.call.same_as) or given)
