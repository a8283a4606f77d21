"""How a Keras model is loaded and called: the structure of its inputs and outputs, and their names."""

from __future__ import annotations

import contextlib
import json
import zipfile
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kexport import registry
from kexport.bundle.naming import unique
from kexport.bundle.signature import Array, TensorSpec
from kexport.errors import ModelError, reason

_lambda_allowed: ContextVar[bool] = ContextVar("_lambda_allowed", default=False)


@contextlib.contextmanager
def allowing_lambda(allowed: bool) -> Iterator[None]:
    """Within the block, `.keras` files may hold Lambda layers: Python bytecode that loading them would run."""
    token = _lambda_allowed.set(allowed)
    try:
        yield
    finally:
        _lambda_allowed.reset(token)


@dataclass(frozen=True)
class Interface:
    """The inputs and outputs of a Keras model.

    Attributes:
        inputs: flat, in the model's own order.
        input_structure: the inputs as the model takes them; each leaf is a KerasTensor.
        output_names: flat, in the model's own order.
        output_structure: the outputs as the model gives them; each leaf is a KerasTensor.
    """

    inputs: tuple[TensorSpec, ...]
    input_structure: Any
    output_names: tuple[str, ...]
    output_structure: Any

    @classmethod
    def of(cls, model: Any) -> Interface:
        """The interface of a built functional or sequential model.

        Raises:
            ModelError: the model has no fixed inputs yet.
        """
        import keras

        functional = getattr(model, "_functional", None) or model
        structure = getattr(functional, "_inputs_struct", None)
        if structure is None:
            raise ModelError(
                f"model {getattr(model, 'name', model)!r} has no defined inputs",
                got=type(model).__name__,
                expected="a functional model, or a sequential one that was built",
                hint="begin the model with keras.Input(...)",
            )
        tensors = keras.tree.flatten(structure)
        names = unique([tensor.name for tensor in tensors])
        specs = tuple(
            TensorSpec(name, keras.backend.standardize_dtype(tensor.dtype), tuple(tensor.shape))
            for name, tensor in zip(names, tensors, strict=True)
        )
        outputs = functional._outputs_struct
        return cls(specs, structure, tuple(unique(_raw_output_names(outputs), taken=names)), outputs)

    def pack(self, flat: Sequence[Any]) -> Any:
        """The flat inputs in the structure that the model takes."""
        import keras

        return keras.tree.pack_sequence_as(self.input_structure, list(flat))

    def run(self, model: Any, arrays: Sequence[Array]) -> list[Array]:
        """Call the model eagerly, as at inference; flat arrays in, flat arrays out."""
        import keras

        outputs = model(self.pack(arrays), training=False)
        return [np.asarray(keras.ops.convert_to_numpy(value)) for value in keras.tree.flatten(outputs)]


def _raw_output_names(structure: Any) -> list[str]:
    """Of each output: its dict key, else the layer it comes from."""
    import keras

    names = []
    for path, tensor in keras.tree.flatten_with_path(structure):
        keys = [key for key in path if isinstance(key, str)]
        names.append(keys[-1] if keys else tensor._keras_history.operation.name)
    return names


def load_file(path: Path) -> Any:
    """Load a `.keras` file in safe mode, after the layers it names were imported.

    Raises:
        ModelError: the file is damaged, holds a layer that nobody registered, or a Lambda.
    """
    config = read_config(path)
    for module in _layer_modules(config):
        __import__(module)
    import keras

    if keras.backend.backend() != "tensorflow":
        raise ModelError(
            "Keras does not run on TensorFlow here",
            got=keras.backend.backend(),
            expected="tensorflow",
            hint="set KERAS_BACKEND=tensorflow",
        )
    unregistered = _unregistered(config)
    if unregistered:
        raise ModelError(
            f"{path.name} holds {_listed(unregistered)}, which nobody registered with Keras",
            expected="@keras.saving.register_keras_serializable(package=...) above the class",
            hint="--import FILE|MODULE runs the code that registers it",
        )
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=not _lambda_allowed.get())
    except Exception as error:  # a layer's own code may raise anything while it is made again
        writer = _keras_version(path)
        raise ModelError(
            f"Keras {keras.__version__} cannot load {path.name}",
            got=reason(error),
            hint=f"Keras {writer} wrote it" if writer != keras.__version__ else "",
        ) from error


def _keras_version(path: Path) -> str:
    """The version of Keras that wrote the file, by its own word."""
    try:
        with zipfile.ZipFile(path) as archive:
            return str(json.loads(archive.read("metadata.json"))["keras_version"])
    except (OSError, zipfile.BadZipFile, KeyError, TypeError, ValueError):
        return "of an unknown version"


def read_config(path: Path) -> Any:
    """The configuration in a `.keras` file, read without Keras.

    Raises:
        ModelError: the file is damaged, or holds a Lambda that was not allowed.
    """
    try:
        with zipfile.ZipFile(path) as file:
            config = json.loads(file.read("config.json"))
            if damaged := file.testzip():
                raise ValueError(f"{damaged} is damaged")
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"{path} cannot be read as a .keras file",
            got=getattr(error, "strerror", None) or error,
            expected="a file that model.save('name.keras') wrote, whole",
            hint="save or copy it again",
        ) from None
    if not _lambda_allowed.get():
        for entry in _objects(config):
            if entry.get("class_name") == "Lambda" and str(entry.get("module", "")).startswith("keras"):
                name = entry.get("config", {}).get("name", "lambda")
                raise ModelError(
                    f"{path.name} holds the Lambda layer {name!r}",
                    got="Python bytecode, which loading the file would run",
                    expected="a registered layer",
                    hint="write it as a layer class; or, if you trust the file, add --allow-lambda",
                )
    return config


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    """Every serialised object in a configuration, outermost first."""
    if isinstance(node, dict):
        if "class_name" in node:
            yield node
        for value in node.values():
            yield from _objects(value)
    elif isinstance(node, list):
        for value in node:
            yield from _objects(value)


def _layer_modules(config: Any) -> list[str]:
    """Modules named in the configuration that belong to a package which offers layers to kexport."""
    packages = {offer.module.rpartition(".")[0] for offer in registry.offers("kexport.layers").values()}
    modules = {str(entry.get("module")) for entry in _objects(config)}
    return sorted(module for module in modules if module.rpartition(".")[0] in packages)


def _unregistered(config: Any) -> list[str]:
    """Classes of the configuration that are neither Keras' own nor registered."""
    import keras

    missing = []
    for entry in _objects(config):
        module, registered = str(entry.get("module") or ""), entry.get("registered_name")
        if module == "keras" or module.startswith("keras.") or module == "builtins" or registered is None:
            continue
        if keras.saving.get_registered_object(registered) is None and entry["class_name"] not in missing:
            missing.append(entry["class_name"])
    return missing


def _listed(names: Sequence[str]) -> str:
    return " and ".join(f"the layer {name!r}" for name in names)
