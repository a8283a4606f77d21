"""The error for code that a `.keras` file needs and that is not here: what it is, and what to give."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kexport.bundle.code_entry import CodeEntry, CodeKind, described, import_options, of_names
from kexport.errors import MissingCodeError
from kexport.runtimes.keras_model.custom_objects import CustomObject
from kexport.runtimes.keras_model.grant import Grant
from kexport.runtimes.keras_model.training_wrappers import STRIPS
from kexport.user_code import file_of_module

#: Layers of tensorflow-model-optimization for training with quantisation, which a SavedModel does without.
_QUANTIZED = ("QuantizeAwareActivation", "QuantizeLayer", "QuantizeWrapper", "QuantizeWrapperV2")
_REGISTER = "@keras.saving.register_keras_serializable(package=...) above each class"


def missing_code(file: str, missing: Sequence[CustomObject], grant: Grant) -> MissingCodeError:
    """The error for a file that needs what is not registered.

    Args:
        file: its name.
        missing: what it needs, in the order in which it names them.
        grant: what was imported, and what the bundle records of its code.
    """
    for each in missing:
        if (strip := STRIPS.get(each.name.rpartition(">")[2])) is not None:
            return MissingCodeError(
                f"{file} holds {each.name!r}, a wrapper for training, of tensorflow-model-optimization",
                expected="a model without it",
                hint=f"{strip}(model), and save that",
            )
        if each.name.rpartition(">")[2] in _QUANTIZED:
            return MissingCodeError(
                f"{file} holds {each.name!r}, of tensorflow-model-optimization",
                expected="a SavedModel, which holds what its layers compute",
                hint="tf.saved_model.save(model, FOLDER) where the model was made, and build FOLDER",
            )
    reachable = {entry.name for entry in grant.code if not entry.obstacle}
    never = [each.name for each in missing if not each.was_registered and each.name not in reachable]
    if never:
        return MissingCodeError(
            f"{file} holds {_quoted(never)}, not registered with Keras" + _although(grant.imports),
            expected=_REGISTER,
            hint="write that in the file that defines them, and run it with --import FILE|MODULE"
            if not grant.imports
            else f"write that in {' and '.join(grant.imports)}, or in what it imports",
        )
    names = [each.name for each in missing]
    recorded = of_names(grant.code, names)
    entries = [*recorded, *(_guessed(each) for each in missing if each.name not in [one.name for one in recorded])]
    needs = f"{file} needs {described(entries)}"
    if grant.imports:
        needs += f", which {' and '.join(grant.imports)} {'does' if len(grant.imports) == 1 else 'do'} not register"
    return MissingCodeError(needs, hint=_hint(entries))


def _guessed(each: CustomObject) -> CodeEntry:
    """Where the code was, by what Keras records of it."""
    file = file_of_module(each.module)
    return CodeEntry(each.name, CodeKind.CLASS, file=file, module="" if file else each.module)


def _hint(entries: Sequence[CodeEntry]) -> str:
    """What to give; where that is not known, or is nothing that others have, it says so."""
    options = import_options(entries)
    obstacles = [f"{entry.name} {entry.obstacle}" for entry in entries if entry.obstacle]
    if not options:
        give = "give the file or module that registers it: --import FILE|MODULE"
    elif all(entry.import_name for entry in entries):
        give = f"give it with {options}"
    else:
        give = f"give it with {options}, and what registers the rest with --import FILE|MODULE"
    return "; ".join([*obstacles, give])


def _although(imports: Sequence[str]) -> str:
    return f" by {' and '.join(imports)}" * bool(imports)


def _quoted(names: Iterable[str]) -> str:
    return " and ".join(map(repr, names))
