"""Reading `.keras` files, and whole models in `.h5` files, in Keras' safe mode."""

from __future__ import annotations

import contextlib
import importlib
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from kexport import registry
from kexport.bundle.archives import EXPANSION, Archive
from kexport.bundle.json_files import FieldError, mapping, member, text
from kexport.bundle.json_text import MOST_JSON, parse
from kexport.errors import BundleError, MissingCodeError, ModelError, located
from kexport.runtimes.keras_model.backend import import_keras
from kexport.runtimes.keras_model.custom_objects import (
    KERAS_2,
    CustomObject,
    lambda_layers,
    objects_in,
    of_keras_2,
    registered_since,
    unregistered,
)
from kexport.runtimes.keras_model.grant import granted
from kexport.runtimes.keras_model.h5_file import h5_config, h5_stored, h5_version, is_h5
from kexport.runtimes.keras_model.missing_code import missing_code
from kexport.runtimes.keras_model.patches import Method, replaced
from kexport.runtimes.keras_model.weights import as_stored, stored_bytes


def load_file(path: Path) -> Any:
    """Load a `.keras` or `.h5` file in safe mode, after the layers it names were imported; returns a `keras.Model`.

    Raises:
        ModelError: the file is damaged, or the code of one of its layers fails.
        MissingCodeError: it holds a class or function that is not registered, or a Lambda that is not allowed.
    """
    config = read_config(path)
    import_keras()  # before the modules of layers, which import it
    for module in _layer_modules(config):
        with contextlib.suppress(ModuleNotFoundError):  # of another version; its layers are then not registered
            importlib.import_module(module)
    if layers := of_keras_2(config):
        raise ModelError(f"{path.name} holds what Keras 3 has not", got=", ".join(layers), hint=_written_by(path))
    missing = unregistered(config)
    since = _since(missing)
    if still := [each for each in missing if each.name not in since]:
        raise missing_code(path.name, still, granted())
    if is_h5(path):
        stored = h5_stored(path, _most(EXPANSION))
    else:
        with _reading(path) as archive:
            stored = stored_bytes(archive, _most(EXPANSION))
    with as_stored(path.name, stored, _most(EXPANSION)):
        return _loaded(path, since)


def _since(missing: Iterable[CustomObject]) -> dict[str, object]:
    """Of what was not registered when the model was saved: what the user's imports have registered by that name."""
    return registered_since(missing) if granted().imports else {}


def _loaded(path: Path, since: Mapping[str, object]) -> Any:
    """The model, with these classes and functions besides those that are registered."""
    import keras

    try:
        with warnings.catch_warnings():
            # Keras only warns when it cannot build a model again, which then has no weights.
            warnings.filterwarnings("error", message=".*cannot be built automatically", category=UserWarning)
            with replaced(keras.Model, "compile_from_config", _not_compiling):
                safe = not granted().allow_lambda
                return keras.saving.load_model(path, custom_objects=since, compile=False, safe_mode=safe)
    except UserWarning as error:
        raise ModelError(
            f"{path.name} cannot be loaded with its weights",
            got="a model that Keras cannot build again from its file",
            expected="a model whose variables are created in __init__ or build()",
            hint="give the model's class a build_from_config(), or begin the model with keras.Input(...)",
        ) from error
    except ModelError:
        raise
    except Exception as error:  # a layer's own code may raise anything while it is created again
        if (sought := sought_in(error)) is not None:
            if sought.name not in since and (found := _since([sought])):  # an .h5 file names it without a module
                return _loaded(path, {**since, **found})
            raise missing_code(path.name, [sought], granted()) from error
        raise ModelError(
            f"Keras {keras.__version__} cannot load {path.name}", got=located(error), hint=_written_by(path)
        ) from error


def sought_in(error: Exception) -> CustomObject | None:
    """The class or function that Keras did not find among those that are registered."""
    found = re.search(r"(?:Could not locate (?:class|function)|Unknown [a-z_ ]+:) '([^']+)'", str(error))
    return CustomObject(found[1]) if found else None


def written_by_keras_2(path: Path) -> bool:
    """Whether a file states that Keras 2 wrote it."""
    return _keras_version(path).startswith("2.")


def _written_by(path: Path) -> str | None:
    """Which version of Keras wrote the file, where it is not this one, and what to do about Keras 2."""
    import keras

    writer = _keras_version(path)
    if writer == keras.__version__:
        return None
    way = f": pip install --no-deps {KERAS_2}, and kexport build reads it" if writer.startswith("2.") else ""
    return f"Keras {writer} wrote it{way}"


def _keras_version(path: Path) -> str:
    """The version of Keras that wrote the file, as the file states it."""
    if is_h5(path):
        return h5_version(path)
    try:
        about = parse(bytes(Archive(path)["metadata.json"]), path.name)
        return member(mapping(about), "keras_version", text)
    except (OSError, ValueError, KeyError, FieldError, BundleError):
        return "of an unknown version"


def read_config(path: Path) -> object:
    """The configuration in a `.keras` or `.h5` file, as JSON, read without Keras.

    Raises:
        ModelError: the file is damaged, or its configuration is beyond the limits of JSON.
        MissingCodeError: it holds a Lambda that is not allowed.
    """
    config: object
    if is_h5(path):
        config = h5_config(path, _most(MOST_JSON))
    else:
        with _reading(path) as archive:
            config = parse(bytes(archive["config.json"]), "config.json", most=_most(MOST_JSON), finite=False)
            for name in archive:
                archive[name]  # raises for one that is damaged
    if not granted().allow_lambda:
        for name in lambda_layers(config):
            raise MissingCodeError(
                f"{path.name} holds the Lambda layer {name!r}",
                got="Python bytecode, which runs when the file is loaded",
                expected="a registered layer",
                hint="write it as a layer class; or, if you trust the file, add --allow-lambda",
            )
    return config


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[Archive]:
    """The members of a `.keras` file.

    Raises:
        ModelError: the file is damaged; also where the block finds that.
    """
    try:
        yield Archive(path, expansion=_most(EXPANSION))
    except (OSError, ValueError, KeyError, BundleError) as error:
        got: object = getattr(error, "strerror", None) or error
        if isinstance(error, BundleError):
            got = f"{error.subject}: {error.facts['got']}"
        elif isinstance(error, KeyError):
            got = f"it has no member {error}"
        raise ModelError(
            f"{path} cannot be read as a .keras file",
            got=got,
            expected="a file that model.save('name.keras') wrote, complete",
            hint="save or copy it again",
        ) from None


def _most(usual: int) -> int:
    """A limit in bytes, or what a user raised it to."""
    return max(usual, granted().max_bytes)


def _layer_modules(config: object) -> list[str]:
    """Modules named in the configuration that belong to a package which offers layers to kexport."""
    packages = {offer.module.rpartition(".")[0] for offer in registry.offers("kexport.layers").values()}
    modules = {str(entry.get("module")) for entry in objects_in(config)}
    return sorted(module for module in modules if module.rpartition(".")[0] in packages)


def _not_compiling(original: Method) -> Method:
    """Models inside of a model are not compiled either: what that takes may be registered nowhere."""
    return lambda self, config: None
