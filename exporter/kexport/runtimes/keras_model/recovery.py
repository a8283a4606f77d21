"""The inputs of a model that is not a graph of layers, recovered from what Keras recorded of its calls.

What Keras did not record is tried: the model is traced with the shapes that its layers were built with, and the one
candidate is taken that gives every layer the shapes it is known to have had. Where no candidate does, or several do,
nothing is guessed. An input that the model only converts to integers, or compares, holds integers.
"""

from __future__ import annotations

import dataclasses
import inspect
import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeVar

from kexport.bundle.naming import carried, unique
from kexport.bundle.signature import Array, TensorSpec
from kexport.errors import ModelError, located, nearest
from kexport.runtimes.keras_model import call_records, seen_calls, trials
from kexport.runtimes.keras_model.call_records import Arguments, InputRecord, float_dtype, input_record
from kexport.runtimes.keras_model.interface import Interface, leaf_names
from kexport.runtimes.keras_model.protocols import KerasModel, TracedFunction

_MOST_TRIALS = 256
_T = TypeVar("_T")


def recover_interface(model: KerasModel, samples: Mapping[str, Array]) -> Interface:
    """The interface of a subclassed model, or of a sequential one that Keras could not make a graph of.

    Args:
        model: the model; one that was never called is called here, on the first of the samples.
        samples: recorded inputs by name.

    Raises:
        ModelError: the model was never called and there are no samples, several interfaces are possible, or its class
            says nothing of what it computes.
    """
    if not _has_call(model):
        raise _without_call(model)
    if (arguments := call_records.from_symbolic_call(model)) is not None:
        return _interface(model, arguments)
    called = seen_calls.seen(model)
    if built := {**called, **_with_dtypes(call_records.from_build(model) or {}, called)}:
        return _completed(model, built, samples)
    if not samples:
        raise _never_called(model)
    return _from_samples(model, samples)


def _with_dtypes(built: Mapping[str, object], seen: Mapping[str, object]) -> dict[str, object]:
    """The structures that Keras recorded, with the dtypes of the first call where that had the same structure."""
    import keras

    typed = dict(built)
    for name, structure in built.items():
        called = seen.get(name)
        if called is None:
            continue
        try:
            keras.tree.assert_same_structure(structure, called)
        except (ValueError, TypeError):
            continue
        typed[name] = keras.tree.map_structure(lambda a, b: dataclasses.replace(a, dtype=b.dtype), structure, called)
    return typed


def _has_call(model: KerasModel) -> bool:
    """Whether the class of a model has a `call` of its own, or one of Keras' classes that have."""
    import keras

    return type(model).call not in (keras.Model.call, keras.Layer.call)


def _without_call(model: KerasModel) -> ModelError:
    import keras

    parts = [f".{name}" for name, value in vars(model).items() if isinstance(value, keras.Model)]
    others = f"; or build one of its parts, which are models themselves: {', '.join(parts)}" if parts else ""
    return ModelError(
        f"model {model.name!r} cannot be built: its class has no call()",
        got=type(model).__name__,
        expected="a class whose call() says what the model computes",
        hint=f"write a call(self, inputs){others}",
    )


def _never_called(model: KerasModel) -> ModelError:
    samples = ", ".join(f"{name!r}: array" for name in call_records.required(model))
    why = "Keras could not record its calls" if model._called else "it was never called"
    first = "" if model._called else "call it once; or "
    return ModelError(
        f"model {model.name!r} has no defined inputs: {why}",
        got=type(model).__name__,
        expected="a model that was called or built once, or samples of its inputs",
        hint=f"{first}begin it with keras.Input(...); or give samples: domain={{{samples}}}",
    )


def _from_samples(model: KerasModel, samples: Mapping[str, Array]) -> Interface:
    """The interface of a model that was never called: it is called here on the first sample of each input."""
    import keras

    records = {
        name: input_record(array.shape, _dtype_of(array, model), any_batch=True) for name, array in samples.items()
    }
    candidates = list(_readings(model, records))
    if not candidates:
        required = call_records.required(model)
        raise ModelError(
            f"model {model.name!r} was never called, and the samples are not those of its arguments",
            got=", ".join(records) or "no samples",
            expected="samples of " + ", ".join(required),
            hint=nearest(next(iter(records), ""), required),
        )
    if isinstance(model, keras.Sequential) and len(records) == 1:
        model.build(next(iter(records.values())).shape)  # its first call would make the batch a fixed one
    failure: Exception | None = None
    for arguments, names in candidates:
        interface = _interface(model, arguments, names)
        try:
            interface.run(model, [samples[name][:1].astype(spec.numpy_dtype)
                                  for name, spec in zip(names, interface.inputs, strict=True)])  # fmt: skip
        except Exception as error:  # noqa: BLE001  the model's own code may raise anything; the first is reported
            failure = failure or error
        else:
            return interface
    raise ModelError(
        f"model {model.name!r} cannot be called on the samples", got=located(failure) if failure else None
    ) from failure


def _readings(model: KerasModel, records: Mapping[str, InputRecord]) -> Iterator[tuple[Arguments, list[str]]]:
    """The ways to read samples of these names as arguments, with the names in order.

    They are all arguments; or else the keys, the items, or the whole of the only argument.
    """
    import keras

    required, parameters = call_records.required(model), list(call_records.parameters(model))
    names = list(records)
    if set(required) <= set(names) <= set(parameters):
        ordered = [name for name in parameters if name in records]
        yield [(name, records[name]) for name in ordered], ordered
    elif len(required) == 1 and names:
        if names == unique(required * len(names)):
            yield [(required[0], list(records.values()))], names
        elif len(names) > 1 or not isinstance(model, keras.Sequential):
            yield [(required[0], dict(records))], sorted(names)
        if len(names) == 1:
            yield [(required[0], records[names[0]])], names


def _dtype_of(array: Array, model: KerasModel) -> str:
    """The dtype of an input with such samples: floats take the dtype of the model's inputs, others keep their own."""
    if array.dtype.kind in "OSU":
        return "string"
    return float_dtype(model) if array.dtype.kind == "f" or array.dtype.name == "bfloat16" else str(array.dtype.name)


def _interface(model: KerasModel, arguments: Arguments, names: Sequence[str] = ()) -> Interface:
    """The interface with these arguments, whose leaves are named by their dict key, or else by their argument."""
    import keras

    records: list[InputRecord] = []
    default_names: list[str] = []
    numbered: Arguments = []
    for argument, structure in arguments:
        start = len(records)
        records += keras.tree.flatten(structure)
        default_names += leaf_names(structure, lambda _, argument=argument: argument)  # type: ignore[misc]
        numbered.append((argument, keras.tree.pack_sequence_as(structure, range(start, len(records)))))
    parameters = call_records.parameters(model).items()
    ordered = [name for name, each in parameters if each.kind is not inspect.Parameter.KEYWORD_ONLY]
    same = [ours == theirs for (ours, _), theirs in zip(arguments, ordered, strict=False)]
    positional = same.index(False) if False in same else len(same)
    specs = tuple(
        TensorSpec(name, record.dtype or float_dtype(model), record.shape)
        for name, record in zip(unique(names or default_names), records, strict=True)
    )
    return Interface(specs, tuple(numbered), positional)


def _completed(model: KerasModel, built: Mapping[str, object], samples: Mapping[str, Array]) -> Interface:
    """The interface of a model of which some shapes are recorded; the others come from the samples, or are tried.

    Raises:
        ModelError: no shape that was tried fits, or several do.
    """
    missing = [name for name in call_records.required(model) if name not in built]
    sampled = {name: input_record(samples[name].shape, any_batch=True) for name in missing if name in samples}
    decided: dict[str, object] = {**built, **sampled}
    guessed = [name for name in missing if name not in decided]
    dtypes = {carried(name): _dtype_of(array, model) for name, array in samples.items()}
    certain = {*dtypes, *_typed(model, decided)}

    def candidate(chosen: Sequence[InputRecord]) -> Interface:
        together = {**decided, **dict(zip(guessed, chosen, strict=True))}
        arguments = [(name, together[name]) for name in call_records.parameters(model) if name in together]
        return _interface(model, arguments).with_dtypes(dtypes)

    function: TracedFunction | None
    if guessed:
        tiers = [
            [candidate(chosen) for chosen in _combinations(shapes, len(guessed))]
            for shapes in call_records.candidate_shapes(model, built)
        ]  # fmt: skip
        try:
            interface, function = trials.best(model, tiers, guessed, certain)
        except trials.UndecidedError as undecided:
            raise _undecided(model, guessed, undecided) from undecided
    else:
        interface, function = trials.traced(model, candidate(()), certain)
    notes = [
        f"input {spec.name}: Keras did not record its shape; {spec.shape_text()} fits what its layers were built with"
        for spec in interface.inputs
        if spec.name in guessed
    ]
    integers = [] if function is None else trials.integer_inputs(interface, function)
    integers = [name for name in integers if name not in certain]
    notes += [f"input {name}: the model converts it to integers, so it is int32" for name in integers]
    notes += _guesses(interface, {*certain, *integers})
    return dataclasses.replace(interface.with_dtypes(dict.fromkeys(integers, "int32")), notes=tuple(notes))


def _typed(model: KerasModel, decided: Mapping[str, object]) -> list[str]:
    """The names of the inputs whose dtype is recorded."""
    import keras

    arguments = [(name, decided[name]) for name in call_records.parameters(model) if name in decided]
    records: list[InputRecord] = keras.tree.flatten([structure for _, structure in arguments])
    specs = _interface(model, arguments).inputs
    return [spec.name for spec, record in zip(specs, records, strict=True) if record.dtype]


def _guesses(interface: Interface, certain: Collection[str]) -> list[str]:
    """A note on the inputs whose dtype is a guess."""
    guesses = [spec for spec in interface.inputs if spec.name not in certain]
    if not guesses:
        return []
    names, dtypes = (", ".join(dict.fromkeys(each)) for each in ([s.name for s in guesses], [s.dtype for s in guesses]))
    why = "Keras does not record what dtype a model was called with; recorded samples of the right dtype settle it"
    return [f"the dtype of input {names} is a guess, {dtypes}: {why}"]


def _undecided(model: KerasModel, guessed: Sequence[str], undecided: Exception) -> ModelError:
    samples = ", ".join(f"{name!r}: array" for name in guessed)
    return ModelError(
        f"Keras did not record what model {model.name!r} takes as {' and '.join(map(repr, guessed))}",
        got=undecided,
        expected="shapes that follow from what the layers were built with",
        hint=f"give samples: domain={{{samples}}}; or call the model once on keras.Input(...) for each argument",
    )


def _combinations(shapes: Sequence[_T], count: int) -> list[tuple[_T, ...]]:
    """Every choice of shapes for so many arguments; none where there are more than are worth trying."""
    return list(itertools.product(shapes, repeat=count)) if len(shapes) ** count <= _MOST_TRIALS else []
