"""The `.keras` file: configuration and weights, for Keras itself."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kexport.errors import ExportError, ModelError
from kexport.factory.formats._format import Format
from kexport.factory.trace.program import Program
from kexport.runtimes.keras_model import read_config, unregistered


def _write(program: Program, target: Path) -> dict[str, Any]:
    import keras

    if not isinstance(program.model, keras.Model):
        raise ExportError(
            f"model {program.model.name!r} cannot be written as keras",
            got="a SavedModel, which does not keep layers",
            expected="a Keras model",
            hint="build it from the code or the .keras file that it was made from",
        )
    with contextlib.ExitStack() as stack:
        stack.enter_context(_all_shapes_recorded(program))
        for layer in program.model._flatten_layers():
            _keep_what_its_constructor_takes(stack, layer)
        keras.saving.save_model(program.model, target)
    try:
        config = read_config(target)
    except ModelError as error:  # a Lambda that nobody allowed: what cannot be loaded again is not worth writing
        raise ExportError(
            "the model cannot be written as keras: Keras would not load it again",
            got=error.subject.removeprefix(f"{target.name} "),
            expected=error.facts["expected"],
            hint="write it as a layer class; or add --allow-lambda; or build --formats without keras",
        ) from error
    if missing := unregistered(config):
        raise ExportError(
            "the model cannot be written as keras: Keras could not load it again",
            got=f"classes that are not registered: {', '.join(missing)}",
            expected="@keras.saving.register_keras_serializable(package=...) above each class",
            hint="or another format (--formats saved_model,onnx,tflite)",
        )
    return {"keras": keras.__version__}


def _keep_what_its_constructor_takes(stack: contextlib.ExitStack, layer: Any) -> None:
    """Until the stack is left, the configuration that Keras guesses for a class holds no more than it can be given.

    Keras adds `trainable` and `dtype`, and then cannot load a class whose constructor takes neither.
    """
    import keras

    kind = type(layer)
    parameters = inspect.signature(kind.__init__).parameters.values()
    guessed = kind.get_config in (keras.Model.get_config, keras.Layer.get_config)
    if kind.__module__.startswith("keras.") or not guessed or any(p.kind is p.VAR_KEYWORD for p in parameters):
        return
    taken = {parameter.name for parameter in parameters}
    config = {key: value for key, value in layer.get_config().items() if key in taken}
    object.__setattr__(layer, "get_config", lambda: config)
    stack.callback(object.__delattr__, layer, "get_config")


@contextlib.contextmanager
def _all_shapes_recorded(program: Program) -> Iterator[None]:
    """Within the block, a model of several arguments knows the shape of each, not of the first alone.

    Keras writes the recorded shapes into the file, and builds the model from them when it is loaded.
    """
    model, arguments = program.model, program.interface.arguments
    own = model._build_shapes_dict
    default = type(model).get_build_config is _default_of("get_build_config")
    if len(arguments) > 1 and default and not program.interface.tensors:
        inputs = program.interface.inputs
        shapes = {f"{name}_shape": inputs[leaf].shape for name, leaf in arguments if isinstance(leaf, int)}
        if len(shapes) == len(arguments):
            model._build_shapes_dict = shapes
    try:
        yield
    finally:
        model._build_shapes_dict = own


def _default_of(method: str) -> Any:
    import keras

    return getattr(keras.Model, method)


FORMAT = Format(
    name="keras",
    path="model.keras",
    summary="Keras' own file: configuration and weights",
    rank=10,
    writer=_write,
    needs_layers=True,
    keeps_state=True,
)
