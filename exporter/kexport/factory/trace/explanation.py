"""What an exception from a model's own code says: the layer, the line, the cause, and a way out that fits it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from types import FrameType

from kexport.code_places import CodePlace, handled, raised_at, user_frames
from kexport.factory.trace.layer_paths import paths
from kexport.factory.trace.protocols import BuiltModel
from kexport.factory.trace.served import Served

_BRANCH = (
    "branches in Python on the values of a tensor, which has none when it is traced",
    "keras.ops.where, or keras.ops.cond, chooses by data",
)
_NUMPY = (
    "computes with NumPy, or asks for the value of a tensor, which has none when it is traced",
    "use the function of that name in keras.ops",
)
_PYTHON = (
    "makes a Python number of a tensor, which has no value when it is traced",
    "keep it a tensor, and compute with keras.ops",
)
_LOOP = (
    "loops in Python over a tensor whose size is unknown when it is traced",
    "keras.ops.vectorized_map, scan or fori_loop, or a fixed size of that axis in Input",
)
_UNKNOWN_SIZE = (
    "computes with a size that is None when it is traced",
    "keras.ops.shape(x)[i] is the size in every call; or fix that axis in Input",
)
_FIXED_SIZE = (
    "fixes a size that differs from call to call",
    "keras.ops.shape(x)[0] is the size of the batch in every call; reshape takes -1",
)
_WEIGHT = (
    "makes a weight or a layer inside `call`",
    "make it in `__init__` or `build`; `call` only uses it",
)
_UNKNOWN_RANK = (
    "gives a tensor of which TensorFlow does not know how many axes it has",
    "keras.ops.reshape what it gives to as many axes as it has, such as (-1, 4)",
)
_CACHE = (
    "keeps a tensor of one call for later ones",
    "compute it in each call, or keep it as a weight",
)
_BACKEND = (
    "calls functions of another backend, which take no tensors of TensorFlow",
    "use the function of that name in keras.ops, which runs on every backend",
)
_CONDITION = re.compile(r"^(el)?if\b|^while\b|^assert\b|\bif\b.*\belse\b")
_SHAPES = (
    "[Cc]annot reshape|values, but the requested shape|Dimensions must be equal|[Ii]ncompatible shapes"
    "|must be equal, but|must have the same|not compatible|[Dd]imension.*mismatch|out of bounds"
)
#: What messages of TensorFlow, Keras and NumPy say, with the cause.
_CAUSES = (
    (r"abstract array|valid JAX|must be Tensor, not \w*Tensor", _BACKEND),
    (r"singleton tf.Variable|tf.Variable.*first call|cannot add new elements of state|already built", _WEIGHT),
    (r"out of scope|cannot be accessed from here|different graph|from the same graph", _CACHE),
    (r"as a Python `?bool`?|__bool__|truth value", _BRANCH),
    (r"[Ii]terating over a symbolic|not iterable|__iter__", _LOOP),
    (r"symbolic.*numpy|numpy.*symbolic|has no attribute 'numpy'|numpy array|\.numpy\(\)|__array__", _NUMPY),
    (r"(float|int|complex)\(\) argument|__float__|__int__|__index__|Tensor.*as an integer", _PYTHON),
    (r"as_list\(\) is not defined on an unknown TensorShape", _UNKNOWN_RANK),
    (r"NoneType|None values not supported|Dimension value is None|unknown dimension|got None", _UNKNOWN_SIZE),
    (_SHAPES, _FIXED_SIZE),
)  # fmt: skip


@dataclass(frozen=True)
class Cause:
    """Why a layer is at fault.

    Attributes:
        what: what it does.
        hint: a way out.
        place: the line.
    """

    what: str
    hint: str
    place: CodePlace | None = None


@dataclass(frozen=True)
class Explanation:
    """What is known of an exception.

    Attributes:
        subject: the layer whose code raised it, in words; empty if unknown.
        cause: why, with the line; None if it is none of the known causes.
    """

    subject: str
    cause: Cause | None

    def facts(self, got: str, hint: str | None) -> tuple[str, str | None]:
        """What an error says: what was got, with layer, line and cause where they are known, and the hint."""
        if self.subject:
            place = self.cause.place if self.cause else None
            what = f" {self.cause.what}" if self.cause else ""
            at = f", {place.quoted}" if place else ""
            got = f"{self.subject}{what}{at}\n            {got}" if what else f"{self.subject}: {got}"
        return got, self.cause.hint if self.cause else hint


def explained(error: BaseException, model: BuiltModel | Served | None = None) -> Explanation:
    """Explain an exception from a call of a model.

    Args:
        error: the exception.
        model: for the path of the layer in it.
    """
    text = f"{type(error).__name__}: {error}"
    place = raised_at(error)
    known = next((words for pattern, words in _CAUSES if re.search(pattern, text, re.DOTALL)), None)
    if (
        place is not None
        and re.search(r"^\s*(el)?if\b|\bwhile\b.*:$|\bassert\b", place.text)
        and known in (_NUMPY, _PYTHON)
    ):
        known = _BRANCH
    cause = Cause(*known, place) if known and place else None
    return Explanation(_layer(error, model), cause)


def _layer(error: BaseException, model: BuiltModel | Served | None) -> str:
    """The innermost layer whose user code the exception passed; of a Lambda, that layer."""
    import keras

    places = {id(layer): path for layer, path in reversed(list(paths(model)))} if model is not None else {}
    errors = [*handled(error)][::-1]
    for frame in (*chain.from_iterable(map(_users, errors)), *chain.from_iterable(map(_all, errors))):
        layer = frame.f_locals.get("self")
        if not isinstance(layer, keras.Layer) or not hasattr(layer, "name"):  # it has none in its own __init__
            continue
        if frame.f_code.co_name not in ("__call__", "error_handler"):
            kind = "model" if layer is model else "layer"
            return f"{kind} {places.get(id(layer), layer.name)!r} ({type(layer).__name__})"
    return ""


def _users(error: BaseException) -> Iterator[FrameType]:
    return (frame for frame, _ in user_frames(error.__traceback__))


def _all(error: BaseException) -> Iterator[FrameType]:
    frames, trace = [], error.__traceback__
    while trace is not None:
        frames.append(trace.tb_frame)
        trace = trace.tb_next
    return reversed(frames)
