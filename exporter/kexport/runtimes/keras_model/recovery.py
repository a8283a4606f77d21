"""The inputs of a model that is no graph of layers, found in what Keras recorded when it was called or built.

Keras keeps the shapes of the first argument, never dtypes, and those of other arguments only where the model's own
`build` takes them. What is missing is tried: the model is traced with the shapes that its layers were built with,
and the one candidate is taken that gives every layer the shapes it is known to have had; where none does, or several
do, nothing is guessed. An input that the model only turns into whole numbers, or compares, holds whole numbers.
"""

from __future__ import annotations

import dataclasses
import inspect
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kexport.bundle.naming import unique
from kexport.bundle.signature import Array, TensorSpec
from kexport.errors import ModelError, located, nearest
from kexport.runtimes.keras_model import trials
from kexport.runtimes.keras_model.interface import Interface

_CONTEXT = ("training",)
_MOST_TRIALS = 256
_UNKNOWN = ""  # the dtype of an input that nothing tells of
_Arguments = list[tuple[str, Any]]  # name and structure; each leaf is a `_Leaf`


class _Leaf:
    """Shape and dtype of an input that has no name yet."""

    def __init__(self, shape: tuple[int | None, ...], dtype: str) -> None:
        self.shape, self.dtype = shape, dtype


def recovered(model: Any, samples: Mapping[str, Array]) -> Interface:
    """The interface of a subclassed model, or of a sequential one that Keras could not make a graph of.

    Raises:
        ModelError: it was never called, and no samples tell what it takes.
    """
    if (called := _from_node(model)) is not None:
        return _interface(model, called)
    if (built := _from_shapes(model)) is not None:
        return _completed(model, built, samples)
    if not samples:
        raise _unknown(model)
    return _from_samples(model, samples)


def _unknown(model: Any) -> ModelError:
    samples = ", ".join(f"{name!r}: array" for name in _required(model))
    why = "Keras could record nothing of its calls" if model._called else "it was never called"
    first = "" if model._called else "call it once; or "
    return ModelError(
        f"model {model.name!r} has no defined inputs: {why}",
        got=type(model).__name__,
        expected="a model that was called or built once, or samples of its inputs",
        hint=f"{first}begin it with keras.Input(...); or give samples: domain={{{samples}}}",
    )


def _parameters(model: Any) -> Mapping[str, inspect.Parameter]:
    parameters = inspect.signature(model.call).parameters
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    named = {name: each for name, each in parameters.items() if name not in _CONTEXT and each.kind not in kinds}
    return named or {"inputs": inspect.Parameter("inputs", inspect.Parameter.POSITIONAL_OR_KEYWORD)}


def _required(model: Any) -> list[str]:
    """The arguments that a call must give; the first one always."""
    named = _parameters(model)
    return [name for i, (name, each) in enumerate(named.items()) if i == 0 or each.default is inspect.Parameter.empty]


def _from_node(model: Any) -> _Arguments | None:
    """What the model was called with, when that were symbolic tensors."""
    import keras

    for node in model._inbound_nodes:
        bound = inspect.signature(model.call).bind_partial(*node.arguments.args, **node.arguments.kwargs).arguments
        found = []
        for name, value in bound.items():
            leaves = keras.tree.flatten(value)
            if name not in _CONTEXT and leaves and all(isinstance(leaf, keras.KerasTensor) for leaf in leaves):
                found.append((name, keras.tree.map_structure(lambda t: _leaf(t.shape, t.dtype), value)))
        if found:
            return found
    return None


def _leaf(shape: Sequence[int | None], dtype: str = _UNKNOWN, batch: bool = False) -> _Leaf:
    sizes: tuple[int | None, ...] = tuple(None if size is None else int(size) for size in shape)
    if batch and sizes:
        sizes = (None, *sizes[1:])
    return _Leaf(sizes, dtype)


def _from_shapes(model: Any) -> dict[str, Any] | None:
    """The structures of the arguments whose shapes Keras recorded, by the argument's name."""
    recorded = model._build_shapes_dict
    if not recorded or all(value is None for value in recorded.values()):
        return None
    parameters = list(_parameters(model))
    found = {}
    for index, (key, value) in enumerate(recorded.items()):
        name = key.removesuffix("_shape")
        if name not in parameters:
            name = parameters[0] if index == 0 else name
        if value is not None and name in parameters:
            found[name] = _shapes_to_leaves(value)
    return found or None


def _shapes_to_leaves(value: Any) -> Any:
    if trials.is_shape(value):
        return _leaf(value, batch=True)
    if isinstance(value, Mapping):
        return {key: _shapes_to_leaves(each) for key, each in value.items()}
    kind = tuple if isinstance(value, tuple) else list
    return kind(_shapes_to_leaves(each) for each in value)


def _from_samples(model: Any, samples: Mapping[str, Array]) -> Interface:
    """The interface of a model that was never called, which is called here on the first sample of each input."""
    import keras

    leaves = {name: _leaf(array.shape, _dtype_of(array, model), batch=True) for name, array in samples.items()}
    candidates = list(_readings(model, leaves))
    if not candidates:
        required = _required(model)
        raise ModelError(
            f"model {model.name!r} was never called, and the samples are not those of its arguments",
            got=", ".join(leaves) or "no samples",
            expected="samples of " + ", ".join(required),
            hint=nearest(next(iter(leaves), ""), required),
        )
    if isinstance(model, keras.Sequential) and len(leaves) == 1:
        model.build(next(iter(leaves.values())).shape)  # its first call would make the batch a fixed one
    failure: Exception | None = None
    for arguments, names in candidates:
        interface = _interface(model, arguments, names)
        try:
            interface.run(model, [samples[name][:1].astype(spec.numpy_dtype)
                                  for name, spec in zip(names, interface.inputs, strict=True)])  # fmt: skip
        except Exception as error:  # noqa: BLE001  the model's own code may raise anything; the first one is told
            failure = failure or error
        else:
            return interface
    raise ModelError(
        f"model {model.name!r} cannot be called on the samples", got=located(failure) if failure else None
    ) from failure


def _readings(model: Any, leaves: Mapping[str, Any]) -> Iterator[tuple[_Arguments, list[str]]]:
    """What samples of these names may be: all arguments; or the keys, the items, or the whole of the only one."""
    import keras

    required, parameters, names = _required(model), list(_parameters(model)), list(leaves)
    if set(required) <= set(names) <= set(parameters):
        yield [(name, leaves[name]) for name in parameters if name in leaves], [n for n in parameters if n in leaves]
    elif len(required) == 1 and names:
        if names == unique(required * len(names)):
            yield [(required[0], list(leaves.values()))], names
        elif len(names) > 1 or not isinstance(model, keras.Sequential):
            yield [(required[0], dict(leaves))], sorted(names)
        if len(names) == 1:
            yield [(required[0], leaves[names[0]])], names


def _dtype_of(array: Array, model: Any) -> str:
    """Real samples take the dtype that the model gives to its inputs; others keep their own."""
    if array.dtype.kind in "OSU":
        return "string"
    return _real(model) if array.dtype.kind == "f" or array.dtype.name == "bfloat16" else str(array.dtype.name)


def _real(model: Any) -> str:
    """The dtype of real inputs: a mixed policy computes in half what it is given in single."""
    policy = model.dtype_policy
    dtype = policy.variable_dtype if policy.name.startswith("mixed_") else policy.compute_dtype
    return str(dtype) if str(dtype).startswith(("float", "bfloat")) else "float32"


def _interface(model: Any, arguments: _Arguments, names: Sequence[str] = ()) -> Interface:
    """Number the leaves of the arguments, and name them: by their dict key, else by their argument."""
    import keras

    leaves: list[Any] = []
    raw: list[str] = []
    numbered: _Arguments = []
    for argument, structure in arguments:
        start = len(leaves)
        for path, leaf in keras.tree.flatten_with_path(structure):
            keys = [key for key in path if isinstance(key, str)]
            raw.append(keys[-1] if keys else argument)
            leaves.append(leaf)
        numbered.append((argument, keras.tree.pack_sequence_as(structure, range(start, len(leaves)))))
    parameters = _parameters(model).items()
    ordered = [name for name, each in parameters if each.kind is not inspect.Parameter.KEYWORD_ONLY]
    same = [ours == theirs for (ours, _), theirs in zip(arguments, ordered, strict=False)]
    positional = same.index(False) if False in same else len(same)
    specs = tuple(
        TensorSpec(name, leaf.dtype or _real(model), leaf.shape)
        for name, leaf in zip(unique(names or raw), leaves, strict=True)
    )
    return Interface(specs, tuple(numbered), positional)


def _completed(model: Any, built: Mapping[str, Any], samples: Mapping[str, Array]) -> Interface:
    """The interface of a model of which some shapes are recorded: the rest is tried.

    Raises:
        ModelError: trying leaves it open what the rest is.
    """
    missing = [name for name in _required(model) if name not in built]
    known = {**built, **{name: _leaf(samples[name].shape, batch=True) for name in missing if name in samples}}
    guessed = [name for name in missing if name not in known]
    dtypes = {name: _dtype_of(array, model) for name, array in samples.items()}

    def candidate(chosen: Sequence[Any]) -> Interface:
        together = {**known, **dict(zip(guessed, chosen, strict=True))}
        interface = _interface(model, [(name, together[name]) for name in _parameters(model) if name in together])
        return _with_dtypes(interface, dtypes)

    if guessed:
        tiers = [
            [candidate(chosen) for chosen in _combinations(shapes, len(guessed))]
            for shapes in _known_shapes(model, built)
        ]  # fmt: skip
        try:
            interface, concrete = trials.best(model, tiers, guessed, samples)
        except trials.UndecidedError as undecided:
            raise _undecided(model, guessed, undecided) from undecided
    else:
        interface, concrete = trials.traced(model, candidate(()), samples)
    notes = [
        f"input {spec.name}: Keras did not record its shape; {spec.shape_text()} fits what its layers were built with"
        for spec in interface.inputs
        if spec.name in guessed
    ]
    whole = [] if concrete is None else trials.whole(interface, concrete)
    whole = [name for name in whole if name not in samples]
    notes += [f"input {name}: the model makes whole numbers of it, so it is int32" for name in whole]
    return dataclasses.replace(_with_dtypes(interface, dict.fromkeys(whole, "int32")), notes=tuple(notes))


def _undecided(model: Any, guessed: Sequence[str], undecided: Exception) -> ModelError:
    samples = ", ".join(f"{name!r}: array" for name in guessed)
    return ModelError(
        f"Keras did not record what model {model.name!r} takes as {' and '.join(map(repr, guessed))}",
        got=undecided,
        expected="shapes that follow from what the layers were built with",
        hint=f"give samples: domain={{{samples}}}; or call the model once on keras.Input(...) for each argument",
    )


def _combinations(shapes: Sequence[Any], count: int) -> list[tuple[Any, ...]]:
    """Every choice of shapes for so many arguments; none when there are too many to tell one from the others."""
    return list(itertools.product(shapes, repeat=count)) if len(shapes) ** count <= _MOST_TRIALS else []


def _with_dtypes(interface: Interface, dtypes: Mapping[str, str]) -> Interface:
    specs = [dataclasses.replace(spec, dtype=dtypes.get(spec.name, spec.dtype)) for spec in interface.inputs]
    return dataclasses.replace(interface, inputs=tuple(specs))


def _known_shapes(model: Any, built: Mapping[str, Any]) -> list[list[Any]]:
    """Shapes that an argument may have had, the likelier ones first.

    First those of the other arguments, all that went into a layer or came out of one, and what an Embedding that
    others share may have been given; then what a concatenation may have added to one of them.
    """
    import keras

    given = [leaf.shape for leaf in keras.tree.flatten(list(built.values()))]
    made = []
    for layer in model._flatten_layers(include_self=False):
        recorded = layer._build_shapes_dict or {}
        given += [tuple(value) for value in recorded.values() if value is not None and trials.is_shape(value)]
        try:
            one = len(recorded) == 1
            shape = layer.compute_output_shape(*(recorded.values() if one else ()), **({} if one else recorded))
        except Exception:  # noqa: BLE001  a layer that cannot tell adds no candidate
            continue
        if trials.is_shape(shape):
            made.append(tuple(shape))
    made += [shape[:-1] for shape in given + made if len(shape) > 2]
    known = list(dict.fromkeys((None, *shape[1:]) for shape in given + made if shape))
    added = [rest for one, other in itertools.permutations(known, 2) if (rest := _added(one, other))]
    others = dict.fromkeys([*added, (None,)])
    return [[_leaf(shape) for shape in known], [_leaf(shape) for shape in others if shape not in known]]


def _added(one: Sequence[int | None], other: Sequence[int | None]) -> tuple[int | None, ...] | None:
    """What a concatenation added to the other shape if it made the first; None where it made no such thing."""
    unequal = [axis for axis, (a, b) in enumerate(zip(one, other, strict=False)) if a != b]
    if len(one) != len(other) or len(unequal) != 1:
        return None
    (axis,) = unequal
    a, b = one[axis], other[axis]
    return (*one[:axis], a - b, *one[axis + 1 :]) if a is not None and b is not None and a > b else None
