"""Reading `.keras` files, in Keras' safe mode."""

from __future__ import annotations

import contextlib
import json
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from kexport import registry
from kexport.errors import ModelError, reason

# Ambient, because the opener of a runtime takes an artifact and its signature alone. Only a `Trust` sets it.
_lambda_allowed: ContextVar[bool] = ContextVar("_lambda_allowed", default=False)


@contextlib.contextmanager
def allowing_lambda(allowed: bool) -> Iterator[None]:
    """Within the block, `.keras` files may hold Lambda layers: Python bytecode that runs when they are loaded."""
    token = _lambda_allowed.set(allowed)
    try:
        yield
    finally:
        _lambda_allowed.reset(token)


def load_file(path: Path) -> Any:
    """Load a `.keras` file in safe mode, after the layers it names were imported; returns a `keras.Model`.

    Raises:
        ModelError: the file is damaged, or holds a layer that is not registered or a Lambda that is not allowed.
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
    if missing := unregistered(config):
        raise ModelError(
            f"{path.name} holds {_listed(missing)}, not registered with Keras",
            expected="@keras.saving.register_keras_serializable(package=...) above the class",
            hint="--import FILE|MODULE runs the code that registers it",
        )
    try:
        with warnings.catch_warnings():
            # Keras only warns when it cannot build a model again, which then has no weights.
            warnings.filterwarnings("error", message=".*cannot be built automatically", category=UserWarning)
            return keras.saving.load_model(path, compile=False, safe_mode=not _lambda_allowed.get())
    except UserWarning as error:
        raise ModelError(
            f"{path.name} cannot be loaded with its weights",
            got="a model that Keras cannot build again from its file",
            expected="a model whose variables are created in __init__ or build()",
            hint="give the model's class a build_from_config(), or begin the model with keras.Input(...)",
        ) from error
    except Exception as error:  # a layer's own code may raise anything while it is created again
        writer = _keras_version(path)
        raise ModelError(
            f"Keras {keras.__version__} cannot load {path.name}",
            got=reason(error),
            hint=f"Keras {writer} wrote it" if writer != keras.__version__ else "",
        ) from error


def _keras_version(path: Path) -> str:
    """The version of Keras that wrote the file, as the file states it."""
    try:
        with zipfile.ZipFile(path) as archive:
            return str(json.loads(archive.read("metadata.json"))["keras_version"])
    except (OSError, zipfile.BadZipFile, KeyError, TypeError, ValueError):
        return "of an unknown version"


def read_config(path: Path) -> object:
    """The configuration in a `.keras` file, as JSON, read without Keras.

    Raises:
        ModelError: the file is damaged, or holds a Lambda that is not allowed.
    """
    try:
        with zipfile.ZipFile(path) as file:
            config: object = json.loads(file.read("config.json"))
            if damaged := file.testzip():
                raise ValueError(f"{damaged} is damaged")
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"{path} cannot be read as a .keras file",
            got=getattr(error, "strerror", None) or error,
            expected="a file that model.save('name.keras') wrote, complete",
            hint="save or copy it again",
        ) from None
    if not _lambda_allowed.get():
        for entry in _objects(config):
            if entry.get("class_name") == "Lambda" and str(entry.get("module", "")).startswith("keras"):
                settings = entry.get("config", {})
                name = settings.get("name", "lambda") if isinstance(settings, Mapping) else "lambda"
                raise ModelError(
                    f"{path.name} holds the Lambda layer {name!r}",
                    got="Python bytecode, which runs when the file is loaded",
                    expected="a registered layer",
                    hint="write it as a layer class; or, if you trust the file, add --allow-lambda",
                )
    return config


def _objects(node: object) -> Iterator[Mapping[str, object]]:
    """Every serialised object in a configuration, outermost first."""
    if isinstance(node, dict):
        if "class_name" in node:
            yield node
        for value in node.values():
            yield from _objects(value)
    elif isinstance(node, list):
        for value in node:
            yield from _objects(value)


def _layer_modules(config: object) -> list[str]:
    """Modules named in the configuration that belong to a package which offers layers to kexport."""
    packages = {offer.module.rpartition(".")[0] for offer in registry.offers("kexport.layers").values()}
    modules = {str(entry.get("module")) for entry in _objects(config)}
    return sorted(module for module in modules if module.rpartition(".")[0] in packages)


def unregistered(config: object) -> list[str]:
    """The names of classes in a configuration that are neither Keras' own nor registered with it."""
    import keras

    missing: list[str] = []
    for entry in _objects(config):
        module, registered = str(entry.get("module") or ""), entry.get("registered_name")
        if module == "keras" or module.startswith("keras.") or module == "builtins" or registered is None:
            continue
        name = str(entry["class_name"])
        if keras.saving.get_registered_object(registered) is None and name not in missing:
            missing.append(name)
    return missing


def _listed(names: Sequence[str]) -> str:
    return " and ".join(f"the layer {name!r}" for name in names)
