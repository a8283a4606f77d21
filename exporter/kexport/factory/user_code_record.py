"""The record of the user's code that a bundle needs, and notes on code that others cannot load."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType

from kexport.bundle.code_entry import CodeEntry, CodeKind
from kexport.bundle.contract_entries import ContractEntry
from kexport.contracts import kinds
from kexport.factory.formats import get as format_of
from kexport.factory.trace import Program
from kexport.field.code_origin import FILE, SOURCE, CodeOrigin, distribution_of, entry_of
from kexport.runtimes.keras_model import Grant, custom_objects, granting, lambda_layers, read_config


@dataclass(frozen=True)
class UserCodeRecord:
    """The code that a bundle needs.

    Attributes:
        entries: for the manifest.
        notes: for the report: what others cannot load, and why.
    """

    entries: tuple[CodeEntry, ...]
    notes: tuple[str, ...]


def record_user_code(program: Program, folder: Path, contracts: Sequence[ContractEntry]) -> UserCodeRecord:
    """Record the code of the classes and functions in the written `.keras` file, and of the kinds of contract.

    Args:
        program: the traced model.
        folder: holds the artifacts.
        contracts: what the model promises.
    """
    import keras

    entries: list[CodeEntry] = []
    notes: list[str] = []
    file = folder / format_of("keras").path
    if file.exists():
        with granting(Grant(allow_lambda=True)):  # nothing is loaded here
            config = read_config(file)
        for each in custom_objects(config):
            registered = keras.saving.get_registered_object(each.name)
            scoped = not each.was_registered and each.name not in keras.saving.get_custom_objects()
            obstacle = "is known to Keras within a custom_object_scope alone" if scoped else _obstacle(registered)
            entry = entry_of(each.name, _kind(registered), registered, obstacle)
            entries.append(entry)
            notes += _notes(entry, registered)
        entries += [CodeEntry(name, CodeKind.LAMBDA) for name in lambda_layers(config)]
        notes += _replaced_since(program, entries)
    for kind in sorted({contract.kind for contract in contracts}):
        registered = kinds.get(kind)
        if not registered.__module__.startswith("kexport."):
            entries.append(entry_of(kind, CodeKind.CONTRACT, registered, _obstacle(registered)))
    return UserCodeRecord(tuple(entries), tuple(dict.fromkeys(notes)))


def _kind(registered: object) -> CodeKind:
    import keras

    if isinstance(registered, FunctionType):
        return CodeKind.FUNCTION
    if isinstance(registered, type) and issubclass(registered, keras.layers.Layer):
        return CodeKind.MODEL if issubclass(registered, keras.Model) else CodeKind.LAYER
    return CodeKind.CLASS


def _obstacle(registered: object) -> str:
    """Why nobody else can load a class or function, as a predicate; empty if others can."""
    origin = CodeOrigin.of(registered)
    if origin.path is None:
        return f"is defined in {_session()}" if origin.module == "__main__" else "is defined in no file"
    if "<locals>" in origin.code.__qualname__ and distribution_of(origin) is None and not _is_kept(origin):
        return f"is defined inside a function of {origin.path.name}, which importing that file does not call"
    return ""


def _session() -> str:
    """What this process runs, where that is not a file."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if type(shell).__name__ == "ZMQInteractiveShell" or "google.colab" in sys.modules:
        return "a notebook"
    return "an interactive session" if shell is not None or hasattr(sys, "ps1") else "no file"


def _is_kept(origin: CodeOrigin) -> bool:
    """Whether a global name of its module holds the class or function, so that the module itself made it."""
    for value in list(vars(sys.modules.get(origin.module, sys)).values()):
        held = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]
        if any(each is origin.code for each in list(held)):
            return True
    return False


def _notes(entry: CodeEntry, registered: object) -> Iterator[str]:
    """What a person should know about code that others have to load."""
    origin = CodeOrigin.of(registered)
    if entry.obstacle:
        yield f"{entry.kind} {entry.name} {entry.obstacle}: others cannot load the .keras file; {_way_out(entry)}"
    elif origin.module == "__main__" and origin.path is not None and not _is_guarded(origin.path):
        yield (
            f"{entry.kind} {entry.name} is defined in the script {entry.file}, all of which runs when others load the "
            ".keras file; move it to a file of its own"
        )


def _way_out(entry: CodeEntry) -> str:
    if not entry.file:
        return "move it to a file"
    if "custom_object_scope" in entry.obstacle:
        return "register it with @keras.saving.register_keras_serializable(package=...)"
    return "move it to the top level of that file"


def _is_guarded(path: Path) -> bool:
    """Whether a script has an `if __name__ == "__main__"` around what only its own run should do."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return True
    return any(isinstance(node, ast.If) and "__name__" in ast.unparse(node.test) for node in tree.body)


def _replaced_since(program: Program, entries: Sequence[CodeEntry]) -> Iterator[str]:
    """A note for each layer of the model whose name is registered for other code than its own by now."""
    import keras

    names = {entry.name for entry in entries}
    for layer in program.model._flatten_layers():
        name = keras.saving.get_registered_name(type(layer))
        registered = keras.saving.get_registered_object(name)
        if name not in names or registered is None or registered is type(layer):
            continue
        own, other = CodeOrigin.of(type(layer)), CodeOrigin.of(registered)
        digests = [(origin.digest(FILE), origin.digest(SOURCE)) for origin in (own, other)]
        if digests[0] != digests[1]:
            mine, loaded = (each.path.name if each.path is not None else each.module for each in (own, other))
            there = f"of {loaded}" if loaded != mine else "that was defined later"
            yield f"layer {name} of the model is that of {mine}, and the .keras file loads the one {there}"
