"""TensorFlow's SavedModel, of a plain module around the traced function.

Keras' own export saves the whole layer graph and traces every layer again; the traced function and its variables
are all that serving needs.
"""

from __future__ import annotations

from pathlib import Path

from kexport.errors import ExportError
from kexport.factory.emit.refusal import leaving_out
from kexport.factory.emit.trail import layer_of
from kexport.factory.emit.user_lines import user_lines
from kexport.factory.formats._format import Format
from kexport.factory.formats._repeatable_saved_model import make_repeatable
from kexport.factory.graph.protocols import Tensor
from kexport.factory.trace import variable_names
from kexport.factory.trace.program import Program


def _write(program: Program, target: Path) -> dict[str, object]:
    import keras
    import tensorflow as tf

    core, interface = program.core, program.interface
    specs = interface.specs()

    @tf.function(autograph=False)
    def serve(*arguments: object, **named: object) -> object:
        """Takes the Keras model's arguments in their structure, and returns its outputs in theirs."""
        by_name = [named[name] for name, _ in interface.arguments if name in named]
        outputs = core(*keras.tree.flatten([*arguments, *by_name]))
        return keras.tree.pack_sequence_as(interface.output_structure, outputs)

    @tf.function(autograph=False)
    def serving_default(**named: object) -> dict[str, Tensor]:
        """Takes each input by name, and returns each output by name."""
        outputs = core(*(named[spec.name] for spec in program.signature.inputs))
        return program.signature.named_outputs(outputs)

    module = tf.Module()
    module.weights = list(core.graph.variables)  # a function that captures an untracked variable cannot be saved
    module.captured = program.resources()
    module.serve = serve
    arguments, named = interface.pack(specs)
    serve.get_concrete_function(*arguments, **named)
    if len(arguments) == 1 and not named and type(arguments[0]) is tuple:
        serve.get_concrete_function(*arguments[0])  # a tuple of inputs may also be spread over the call
    by_name = serving_default.get_concrete_function(**{spec.name: spec for spec in specs})
    try:
        with variable_names.valid(module.weights):
            tf.saved_model.save(module, str(target), signatures={"serving_default": by_name})
    except AssertionError as error:
        if (place := _untracked(program)) is None:
            raise
        raise ExportError(
            "the model cannot be written as saved_model: no layer keeps a table that it uses",
            got=place,
            expected="lookup tables, and other resources, that are attributes of layers",
            hint=f"make it an attribute in `__init__`; `call` only uses it; or {leaving_out('saved_model')}",
        ) from error
    make_repeatable(target)
    return {"tensorflow": tf.__version__}


def _untracked(program: Program) -> str | None:
    """Where the traced function uses a resource that is neither a weight nor a table of a layer; None if nowhere."""
    graph = program.core.graph
    known = {id(variable.handle) for variable in graph.variables} | set(program.tables)
    for outer, inner in graph.captures:
        users = inner.consumers()
        if outer.dtype.name == "resource" and id(outer) not in known and users:
            line = user_lines(graph).get(users[0].name)
            return layer_of(users[0].name, program.scopes) + (f", {line}" if line else "")
    return None


FORMAT = Format(
    name="saved_model",
    path="saved_model",
    summary="TensorFlow SavedModel: .serve(x), and serving_default by name",
    rank=20,
    writer=_write,
    keeps_state=True,
)
