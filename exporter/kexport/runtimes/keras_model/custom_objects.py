"""The classes and functions of a user's own that the configuration of a model names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

_FUNCTION = "function"
KERAS_2 = "tf_keras"
#: Whose code is known by versions, or is a part of what a build follows from.
_KNOWN = ("keras", KERAS_2, "kexport", "kexport_layers", "builtins")


@dataclass(frozen=True)
class CustomObject:
    """A class or function that Keras must find among those that are registered.

    Attributes:
        name: the name under which it is registered, `package>Name`; without a `>` if it was not registered.
        module: the module that defined it, as far as Keras records it.
    """

    name: str
    module: str = ""

    @property
    def was_registered(self) -> bool:
        """Whether it was registered when the model was saved; otherwise no code that is run could help."""
        return ">" in self.name


def objects_in(config: object) -> Iterator[Mapping[str, object]]:
    """Every serialised object in a configuration, outermost first; what a model is compiled with is left out.

    kexport loads no model for training, so losses, metrics and optimizers are never looked for.
    """
    if isinstance(config, dict):
        if "class_name" in config:
            yield config
        for key, value in config.items():
            if key != "compile_config":
                yield from objects_in(value)
    elif isinstance(config, list):
        for value in config:
            yield from objects_in(value)


def lambda_layers(config: object) -> list[str]:
    """The names of Lambda layers that hold bytecode; one that names a function holds none.

    Files of Keras 2 state no module; there the bytecode is a list, and a function's name is a text.
    """
    names = []
    for entry in objects_in(config):
        if entry.get("class_name") != "Lambda" or not str(entry.get("module", "keras")).startswith("keras"):
            continue
        settings = entry.get("config", {})
        settings = settings if isinstance(settings, Mapping) else {}
        function = settings.get("function")
        if isinstance(function, str) and settings.get("function_type") == _FUNCTION:
            continue
        if not isinstance(function, Mapping) or function.get("class_name") != _FUNCTION:
            names.append(str(settings.get("name", "lambda")))
    return names


def custom_objects(config: object) -> list[CustomObject]:
    """The classes and functions in a configuration that are not Keras' own, each once."""
    found: dict[str, CustomObject] = {}
    for entry in objects_in(config):
        module, registered = str(entry.get("module") or ""), entry.get("registered_name")
        if module.partition(".")[0] in ("keras", KERAS_2):
            continue
        if entry["class_name"] == _FUNCTION:
            name = entry.get("config")
            if isinstance(name, str) and not _is_function_of_keras(name):
                found.setdefault(name, CustomObject(name))
        elif registered is not None:
            found.setdefault(str(registered), CustomObject(str(registered), module))
    return list(found.values())


def names_foreign_code(config: object) -> bool:
    """Whether a configuration names classes or functions that neither Keras nor kexport has."""
    for entry in objects_in(config):
        package = str(entry.get("module") or "").partition(".")[0]
        function = entry.get("config") if entry["class_name"] == _FUNCTION else ""
        registered = any(">" in str(name) for name in (entry["class_name"], entry.get("registered_name"), function))
        if package not in _KNOWN and (package or registered):
            return True
    return False


def of_keras_2(config: object) -> list[str]:
    """The classes in a configuration that only Keras 2 has."""
    entries = (each for each in objects_in(config) if str(each.get("module")).partition(".")[0] == KERAS_2)
    return sorted({str(entry["class_name"]) for entry in entries})


def unregistered(config: object) -> list[CustomObject]:
    """The classes and functions in a configuration that are neither Keras' own nor registered with it."""
    import keras

    return [each for each in custom_objects(config) if keras.saving.get_registered_object(each.name) is None]


def registered_since(missing: Iterable[CustomObject]) -> dict[str, object]:
    """Of what was not registered when a model was saved: the one class or function that bears the name now.

    Keras looks for it by that name alone, without the package under which it has been registered since.
    """
    import keras

    homes: dict[str, list[object]] = {}
    for name, each in keras.saving.get_custom_objects().items():
        homes.setdefault(name.rpartition(">")[2], []).append(each)
    return {
        each.name: homes[each.name][0]
        for each in missing
        if not each.was_registered and len(homes.get(each.name, ())) == 1
    }


def registered(names: Iterable[str]) -> dict[str, object]:
    """The classes and functions that are registered with Keras under these names."""
    import keras

    found = {name: keras.saving.get_registered_object(name) for name in names}
    return {name: each for name, each in found.items() if each is not None}


def _is_function_of_keras(name: str) -> bool:
    """Whether Keras has a function of that name, which it records without its module."""
    import keras

    homes = (keras.activations, keras.losses, keras.metrics, keras.initializers, keras.regularizers, keras.constraints)
    return any(hasattr(home, name) for home in homes)
