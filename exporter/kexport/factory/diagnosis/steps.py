"""What user code does, line by line: the values that each line gives to names, to the layer and to globals.

Two such records of one call, made under two circumstances, part first at the line to blame.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import FrameType
from typing import Any

import numpy as np

from kexport.code_places import CodePlace, is_user_code

#: What `sys.settrace` takes.
_Tracer = Callable[[FrameType, str, Any], Any]

_PRIMITIVE = (int, float, complex, str, bytes, type(None), np.generic)
_LARGEST_COPY = 1 << 20  # elements of an array that is copied, as code may change it in place
_DEEPEST, _LONGEST = 2, 16  # of a collection that is looked into


@dataclass(frozen=True)
class Kept:
    """What stays in a layer, in a class, in a global or in a default argument, as far as it can be told apart."""

    content: object


@dataclass(frozen=True)
class Step:
    """One line that was executed.

    Attributes:
        place: the line.
        changed: names that have another value after it; of what outlives the call, such as `self.count`, `Kept`.
        returned: what the function returned there, if it did.
    """

    place: CodePlace
    changed: Mapping[str, object] = field(default_factory=dict)
    returned: object = None


class _Frame:
    """A call of a function that goes on: its last line, and the names as they were before that line."""

    def __init__(self, frame: FrameType, layers: type) -> None:
        self.line = 0
        self.layers = layers
        self.names = _names(frame, layers)

    def changes(self, frame: FrameType) -> dict[str, object]:
        now = _names(frame, self.layers)
        changed = {name: value for name, value in now.items() if not _unchanged(self.names.get(name, now), value)}
        self.names = now
        return changed


@contextlib.contextmanager
def recording() -> Iterator[list[Step]]:
    """Within the block, every line of user code is recorded; yields the steps."""
    import keras

    steps: list[Step] = []
    frames: dict[FrameType, _Frame] = {}

    def entered(frame: FrameType, event: str, _: Any) -> _Tracer | None:
        if event != "call" or not is_user_code(frame.f_code.co_filename):
            return None
        caller = frame.f_back
        while caller is not None and caller not in frames:
            caller = caller.f_back
        current = frames[frame] = _Frame(frame, keras.Layer)
        if caller is not None:
            given = {name: value for name, value in current.names.items() if not isinstance(value, Kept)}
            steps.append(Step(_place(caller, caller.f_lineno), given))
        return inside

    def inside(frame: FrameType, event: str, value: Any) -> _Tracer:
        current = frames[frame]
        if event in ("line", "return"):
            changed = current.changes(frame)
            if current.line:
                returned = _snapshot(value) if event == "return" else None
                steps.append(Step(_place(frame, current.line), changed, returned))
            current.line = frame.f_lineno
        return inside

    before = sys.gettrace()
    sys.settrace(entered)
    try:
        yield steps
    finally:
        sys.settrace(before)
        frames.clear()


def _place(frame: FrameType, line: int) -> CodePlace:
    return CodePlace(frame.f_code.co_filename, line)


def _names(frame: FrameType, layers: type) -> dict[str, object]:
    """The values of names in a frame, and of what outlives it: the layer's attributes, its classes' and globals."""
    names: dict[str, object] = {}
    code = frame.f_code
    for name, value in frame.f_locals.items():
        if isinstance(value, layers):
            names.update(_attributes(name, value, layers))
        elif isinstance(value, list | dict | set) and name in code.co_varnames[: code.co_argcount]:
            names[name] = Kept(_snapshot(value))  # it may be a default argument
        elif name in code.co_freevars:
            names[name] = Kept(_snapshot(value))
        elif name not in ("self", "cls"):
            names[name] = _snapshot(value)
    for name in code.co_names:
        value = frame.f_globals.get(name)
        if isinstance(value, (*_PRIMITIVE, list, dict, set, np.ndarray)) and value is not None:
            names[f"global {name}"] = Kept(_snapshot(value))
        elif isinstance(value, type) and is_user_code(getattr(sys.modules.get(value.__module__), "__file__", "") or ""):
            names.update((f"{name}.{key}", Kept(_snapshot(each))) for key, each in _plain(vars(value)))
    return names


def _attributes(name: str, layer: object, layers: type) -> Iterator[tuple[str, object]]:
    """The attributes of a layer that its own code sets."""
    for key, value in _plain(vars(layer)):
        if key not in _of_keras():
            yield f"{name}.{key}", Kept(_snapshot(value))
    for kind in type(layer).__mro__:
        if kind is layers or kind.__module__.startswith("keras."):
            break
        for key, value in _plain(vars(kind)):
            if key not in vars(layer):
                yield f"{name}.{key}", Kept(_snapshot(value))


def _plain(attributes: Mapping[str, object]) -> list[tuple[str, object]]:
    kinds = (int, float, complex, str, bytes, list, dict, set, np.ndarray, np.generic)
    return [(k, v) for k, v in attributes.items() if not k.startswith("__") and (isinstance(v, kinds) or _tensor(v))]


@lru_cache(maxsize=1)
def _of_keras() -> frozenset[str]:
    """The attributes that any layer has."""
    import keras

    return frozenset(vars(keras.layers.Dense(1))) - {"units"} | frozenset(vars(keras.Model()))


def _tensor(value: object) -> bool:
    import tensorflow as tf

    return isinstance(value, tf.Tensor)


def _snapshot(value: object, depth: int = 0) -> object:
    """The value if it cannot change, a copy of an array, the contents of a short collection; else its type."""
    if isinstance(value, _PRIMITIVE) or _tensor(value):
        return value
    if isinstance(value, np.ndarray):
        return value.copy() if value.size <= _LARGEST_COPY else value
    if isinstance(value, list | tuple | dict | set) and depth < _DEEPEST:
        items = list(value.values()) if isinstance(value, dict) else list(value)
        return (len(items), *(_snapshot(item, depth + 1) for item in items[-_LONGEST:]))
    if type(value).__name__ == "Variable" and hasattr(value, "value"):
        return None
    return type(value).__name__


def _unchanged(before: object, now: object) -> bool:
    """Whether a name has the same value still; tensors are the same only if they are one."""
    if isinstance(before, Kept) and isinstance(now, Kept):
        before, now = before.content, now.content
    if before is now:
        return True
    if isinstance(before, tuple) and isinstance(now, tuple):
        return len(before) == len(now) and all(map(_unchanged, before, now))
    if isinstance(before, np.ndarray) and isinstance(now, np.ndarray):
        return before.shape == now.shape and bool(np.array_equal(before, now))
    primitive = isinstance(before, _PRIMITIVE) and isinstance(now, _PRIMITIVE)
    return primitive and type(before) is type(now) and bool(before == now)


@dataclass(frozen=True)
class Parting:
    """Where two records of a call part.

    Attributes:
        place: the line.
        names: to which it gave different values; empty where it returned them or chose another way.
        branched: whether it chose another way.
    """

    place: CodePlace
    names: tuple[str, ...] = ()
    branched: bool = False


def parting(one: Sequence[Step], other: Sequence[Step], same: Callable[[object, object], bool]) -> Parting | None:
    """The first line whose effects differ; None where all are the same as far as they can be told apart.

    Args:
        one: the steps of a call.
        other: the steps of the same call under other circumstances.
        same: whether two values count as the same.
    """
    last: CodePlace | None = None
    for a, b in zip(one, other, strict=False):
        if a.place != b.place:
            return Parting(last or a.place, branched=True)
        names = tuple(name for name in a.changed if name in b.changed and not same(a.changed[name], b.changed[name]))
        if names or not same(a.returned, b.returned):
            return Parting(a.place, names)
        last = a.place
    return Parting(last, branched=True) if last and len(one) != len(other) else None


def mutation(steps: Sequence[Step]) -> tuple[CodePlace, str] | None:
    """The first line that changes what outlives the call, and the name of that."""
    for step in steps:
        for name, value in step.changed.items():
            if isinstance(value, Kept):
                return step.place, name
    return None


def leaves(value: object) -> list[object]:
    """The single values in a snapshot, without lengths of collections."""
    value = value.content if isinstance(value, Kept) else value
    return [leaf for item in value[1:] for leaf in leaves(item)] if isinstance(value, tuple) else [value]
