"""A program that keeps state, as a SavedModel: the form from which a converter can keep it too."""

from __future__ import annotations

from pathlib import Path

from kexport.factory.graph.protocols import Tensor
from kexport.factory.trace import variable_names
from kexport.factory.trace.program import Program


def save(program: Program, target: Path) -> None:
    """Write the program as a SavedModel, the only form of it that keeps state."""
    import tensorflow as tf

    @tf.function(autograph=False)
    def serving_default(**named: object) -> dict[str, Tensor]:
        return program.signature.named_outputs(program.core(*(named[spec.name] for spec in program.signature.inputs)))

    module = tf.Module()
    module.weights = list(program.core.graph.variables)
    module.captured = program.resources()
    specs = {spec.name: spec for spec in program.interface.specs()}
    with variable_names.valid(module.weights):
        tf.saved_model.save(module, str(target), signatures=serving_default.get_concrete_function(**specs))
