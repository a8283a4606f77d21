"""The `.keras` file: configuration and weights, for Keras itself."""

from __future__ import annotations

import contextlib
import inspect
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from kexport.errors import ExportError, ModelError
from kexport.factory.emit.refusal import leaving_out
from kexport.factory.formats._format import Format
from kexport.factory.formats._repeatable_keras import make_repeatable
from kexport.factory.trace.program import Program
from kexport.factory.trace.protocols import BuiltLayer
from kexport.runtimes.keras_model import objects_in, read_config, unregistered


def _write(program: Program, target: Path) -> dict[str, object]:
    import keras

    if not isinstance(program.model, keras.Model):
        raise ExportError(
            f"model {program.model.name!r} cannot be written as keras",
            got="a SavedModel, which does not keep layers",
            expected="a Keras model",
            hint="build it from the code or the .keras file that it was made from",
        )
    _require_merged(program.model._flatten_layers())
    with contextlib.ExitStack() as stack:
        stack.enter_context(_all_shapes_recorded(program))
        for layer in program.model._flatten_layers():
            _restrict_config(stack, layer)
        keras.saving.save_model(program.model, target)
    make_repeatable(target)
    _require_loadable(target)
    return {"keras": keras.__version__}


def _require_merged(layers: Iterable[Any]) -> None:
    """Refuse quantized weights beside LoRA weights that change them: Keras saves the sum, rounded again."""
    for layer in layers:
        changes = [each for each in layer.weights if re.fullmatch(r"lora_\w+_b", each.name)]
        if getattr(layer, "quantization_mode", None) and any(np.any(each) for each in changes):
            raise ExportError(
                "the model cannot be written as keras: Keras merges LoRA weights into quantized ones, and rounds again",
                got=f"layer {layer.name!r} ({type(layer).__name__}), {layer.quantization_mode} with LoRA",
                expected="weights that are quantized after LoRA weights were merged",
                hint="save the model before quantize(), load that file, where they are merged, and quantize it; or "
                + leaving_out(FORMAT.name),
            )


def _require_loadable(target: Path) -> None:
    """Refuse a file that Keras would not load again.

    Raises:
        ExportError: it holds a Lambda that nobody allowed, or a class or function that is not registered.
    """
    try:
        config = read_config(target)
    except ModelError as error:
        raise ExportError(
            "the model cannot be written as keras: Keras would not load it back",
            got=error.subject.removeprefix(f"{target.name} "),
            expected=error.facts["expected"],
            hint=f"write it as a layer class; or add --allow-lambda; or {leaving_out(FORMAT.name)}",
        ) from error
    if methods := [*_methods(config)]:
        raise ExportError(
            "the model cannot be written as keras: Keras could not load it back",
            got=f"a method as a setting: {', '.join(methods)}",
            expected="a get_config that returns what the constructor takes",
            hint=f"mend get_config, also by a subclass of your own; or {leaving_out(FORMAT.name)}",
        )
    if missing := [each.name for each in unregistered(config)]:
        raise ExportError(
            "the model cannot be written as keras: Keras could not load it back",
            got=f"not registered: {', '.join(missing)}",
            expected="@keras.saving.register_keras_serializable(package=...) above each class or function",
            hint=f"register them; or {leaving_out(FORMAT.name)}",
        )


def _methods(config: object) -> Iterator[str]:
    """The methods among the settings of a model: each with the class whose `get_config` returned it."""
    for entry in objects_in(config):
        settings = entry.get("config")
        for key, value in settings.items() if isinstance(settings, dict) else ():
            if isinstance(value, dict) and (value.get("module"), value.get("class_name")) == ("builtins", "method"):
                yield f"{key!r} of {entry['class_name']}, its {value.get('config')}"


def _restrict_config(stack: contextlib.ExitStack, layer: BuiltLayer) -> None:
    """Until the stack is left, a configuration that Keras derives for a class holds only what its constructor takes.

    Keras adds `trainable` and `dtype`, and then cannot load a class whose constructor takes neither.
    """
    import keras

    kind: type[keras.Layer] = type(layer)
    parameters = inspect.signature(kind.__init__).parameters.values()
    derived = kind.get_config in (keras.Model.get_config, keras.Layer.get_config)
    if kind.__module__.startswith("keras.") or not derived or any(p.kind is p.VAR_KEYWORD for p in parameters):
        return
    taken = {parameter.name for parameter in parameters}
    config = {key: value for key, value in kind.get_config(layer).items() if key in taken}
    object.__setattr__(layer, "get_config", lambda: config)
    stack.callback(object.__delattr__, layer, "get_config")


@contextlib.contextmanager
def _all_shapes_recorded(program: Program) -> Iterator[None]:
    """Within the block, a model of several arguments records the shape of each, not of the first alone.

    Keras writes the recorded shapes into the file, and builds the model from them when it is loaded.
    """
    import keras

    model, arguments = program.model, program.interface.arguments
    assert isinstance(model, keras.Model)
    recorded = model._build_shapes_dict
    default = type(model).get_build_config is keras.Model.get_build_config
    if len(arguments) > 1 and default and not program.interface.tensors:
        inputs = program.interface.inputs
        shapes = {f"{name}_shape": inputs[leaf].shape for name, leaf in arguments if isinstance(leaf, int)}
        if len(shapes) == len(arguments):
            model._build_shapes_dict = shapes
    try:
        yield
    finally:
        model._build_shapes_dict = recorded


FORMAT = Format(
    name="keras",
    path="model.keras",
    summary="Keras' own file: configuration and weights",
    rank=10,
    writer=_write,
    needs_layers=True,
    keeps_state=True,
)
