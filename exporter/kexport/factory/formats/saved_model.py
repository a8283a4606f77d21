"""TensorFlow's SavedModel, of a plain module around the traced function.

Keras' own export saves the whole layer graph and traces every layer again; the traced function and its variables
are all that serving needs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kexport.factory.formats._format import Format
from kexport.factory.trace import Program, tensor_specs


def _write(program: Program, target: Path) -> dict[str, Any]:
    import keras
    import tensorflow as tf

    core, interface = program.core, program.interface
    specs = tensor_specs(interface.inputs)

    @tf.function(input_signature=[interface.pack(specs)], autograph=False)
    def serve(inputs: Any) -> Any:
        """As the Keras model: its input structure in, its output structure out."""
        return keras.tree.pack_sequence_as(interface.output_structure, core(*keras.tree.flatten(inputs)))

    @tf.function(autograph=False)
    def serving_default(**named: Any) -> dict[str, Any]:
        """By name: every input a keyword, every output a key."""
        outputs = core(*(named[spec.name] for spec in program.signature.inputs))
        return program.signature.named_outputs(outputs)

    module = tf.Module()
    module.weights = list(core.graph.variables)  # a function that captures an untracked variable cannot be saved
    module.serve = serve
    by_name = serving_default.get_concrete_function(**{spec.name: spec for spec in specs})
    tf.saved_model.save(module, str(target), signatures={"serving_default": by_name})
    return {"tensorflow": tf.__version__}


FORMAT = Format(
    name="saved_model",
    path="saved_model",
    modules=(),
    summary="TensorFlow SavedModel: .serve(x), and serving_default by name",
    writer=_write,
)
