"""What else is seen when a model is called once: shapes that are not those declared, masks that are lost, NaN."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from kexport.bundle.signature import Array
from kexport.code_places import CodePlace, is_user_code
from kexport.factory.diagnosis import causes
from kexport.factory.localisation.layer_calls import Call
from kexport.factory.trace.program import Program
from kexport.runtimes.keras_model import to_array

#: A way out where a layer declares a wrong shape.
DECLARED = "what compute_output_shape says must be what `call` returns"
_DECLARING = ("compute_output_shape", "compute_output_spec")
#: Binary digits of the significand.
_DIGITS = {"float64": 53, "float32": 24, "float16": 11, "bfloat16": 8}
#: Keras' layers that give another result with a mask.
_TAKING_MASKS = (
    "RNN", "Bidirectional", "GlobalAveragePooling1D", "Attention", "AdditiveAttention", "MultiHeadAttention",
    "GroupQueryAttention",
)  # fmt: skip


def of(program: Program, calls: Sequence[Call], outputs: Sequence[Array]) -> tuple[str, ...]:
    """Notes on a recorded call of a model."""
    wrong = wrong_shape(calls)
    notes = [f"{wrong}: Keras plans by the former, the artifacts have the latter"] if wrong else []
    notes += lost_masks(calls)
    notes += forgotten_arguments(calls)
    notes += [*readings(calls), *narrow_casts(program, calls)]
    if any(_not_finite(each) for each in outputs):
        notes += first_not_finite(calls)
    return tuple(dict.fromkeys(notes))


def wrong_shape(calls: Sequence[Call]) -> str:
    """The first layer whose result has another shape than its own code declares, in words; empty if there is none."""
    for call in calls:
        place = definition(type(call.operation), *_DECLARING)
        if place is None or len(call.outputs) != 1:
            continue
        declared = _declared(call)
        actual = tuple(getattr(call.outputs[0], "shape", ()))
        if declared is not None and not _fits(declared, actual):
            words = f"layer {call.site.path!r} ({call.site.kind})"
            shape = (None, *actual[1:]) if declared[:1] == (None,) else actual
            return f"{words} declares the shape {declared} and returns {shape}; {place.quoted}"
    return ""


def definition(kind: type, *names: str) -> CodePlace | None:
    """Where the user's class defines the first of these methods that it does define."""
    for name in names:
        code = getattr(inspect.unwrap(getattr(kind, name, None) or (lambda: None)), "__code__", None)
        if code is not None and is_user_code(code.co_filename) and code.co_name == name:
            return CodePlace(code.co_filename, code.co_firstlineno)
    return None


def _declared(call: Call) -> tuple[int | None, ...] | None:
    """The shape that a layer declares for these arguments."""
    import keras

    try:
        args, options = keras.tree.map_structure(_symbol, call.given)
        spec = call.operation.compute_output_spec(*args, **options)
        return tuple(spec.shape)
    except Exception:  # noqa: BLE001  the layer's own code may raise anything; it then declares nothing
        return None


def _symbol(value: Any) -> Any:
    import keras

    is_tensor = hasattr(value, "shape") and hasattr(value, "dtype")
    return keras.KerasTensor(tuple(value.shape), keras.backend.standardize_dtype(value.dtype)) if is_tensor else value


def _fits(declared: Sequence[int | None], actual: Sequence[int | None]) -> bool:
    return len(declared) == len(actual) and all(a is None or a == b for a, b in zip(declared, actual, strict=True))


def lost_masks(calls: Sequence[Call]) -> Iterator[str]:
    """Layers behind which a mask is lost that a later layer would take."""
    import keras

    lost: dict[int, Call] = {}
    for call in calls:
        given = [each for each in keras.tree.flatten(call.given) if hasattr(each, "dtype")]
        masked = any(getattr(each, "_keras_mask", None) is not None for each in given)
        keeping = any(getattr(each, "_keras_mask", None) is not None for each in call.outputs)
        source = next((lost[id(each)] for each in given if id(each) in lost), None)
        if source is not None and not masked and _takes_mask(call):
            yield (
                f"layer {source.site.path!r} ({source.site.kind}) loses the mask of its input, which layer "
                f"{call.site.path!r} ({call.site.kind}) takes: `supports_masking = True`, or compute_mask, keeps it"
            )
        layer = call.operation
        swallows = masked and not keeping and isinstance(layer, keras.Layer) and not layer.supports_masking
        if swallows and not _takes_mask(call):
            source = call
        if source is not None and not keeping:
            lost.update((id(each), source) for each in call.outputs)


def _takes_mask(call: Call) -> bool:
    kinds = {kind.__name__ for kind in type(call.operation).__mro__}
    own = is_user_code(getattr(getattr(type(call.operation).call, "__code__", None), "co_filename", ""))
    return bool(kinds & set(_TAKING_MASKS)) or (own and getattr(call.operation, "_call_has_mask_arg", False))


def readings(calls: Sequence[Call]) -> Iterator[str]:
    """Layers that read something outside of the model, which a trace keeps as it is now."""
    for call in calls:
        if place := causes.suspicious([type(call.operation)], (causes.READING,)):
            words = f"layer {call.site.path!r} ({call.site.kind})"
            yield f"{words} reads what is outside of the model; the artifacts keep its present value; {place.quoted}"


def narrow_casts(program: Program, calls: Sequence[Call]) -> Iterator[str]:
    """Casts in the user's layers that lose digits of the numbers that they are given."""
    users = {
        f"layer {call.site.path!r} ({call.site.kind})": _largest_integer(call)
        for call in calls
        if causes.definition([type(call.operation)]) is not None
    }
    for op in program.core.graph.get_operations():
        words = program.scopes.get(op.name.rpartition("/")[0], "")
        if op.type != "Cast" or words not in users:
            continue
        given, made = op.inputs[0].dtype.name, op.outputs[0].dtype.name
        digits = _DIGITS.get(made, 64)
        loses = given in _DIGITS and digits < min(_DIGITS[given], 24)
        if loses or (given in ("int32", "int64") and users[words] > 2**digits):
            frames = list(getattr(op, "traceback", ()))  # the build is called from user code too, further out
            place = next((p for p in map(_frame, reversed(frames)) if p is not None), None)
            at = f"; {place.quoted}" if place else ""
            yield f"{words} casts {given} to {made}, which does not hold all digits of what it is given{at}"


def _frame(frame: Any) -> CodePlace | None:
    return CodePlace(frame.filename, frame.lineno) if is_user_code(frame.filename) else None


def _largest_integer(call: Call) -> float:
    import keras

    arrays = [to_array(each) for each in keras.tree.flatten(call.given) if hasattr(each, "dtype")]
    return max(
        (float(np.abs(each.astype(float)).max(initial=0)) for each in arrays if each.dtype.kind == "i"), default=0
    )


def first_not_finite(calls: Sequence[Call]) -> Iterator[str]:
    """The first layer that makes NaN or infinity of finite arguments."""
    import keras

    for call in calls:
        given = [each for each in keras.tree.flatten(call.given) if hasattr(each, "dtype")]
        if call.outputs and any(map(_not_finite, call.outputs)) and not any(map(_not_finite, given)):
            if call.site.path:
                yield f"layer {call.site.path!r} ({call.site.kind}) makes NaN or infinity of finite inputs"
            return


def forgotten_arguments(calls: Sequence[Call]) -> Iterator[str]:
    """Layers that are not the same when they are made again from their configuration."""
    import keras

    for call in calls:
        layer, kind = call.operation, type(call.operation)
        place = definition(kind, "get_config")
        if place is None or isinstance(layer, keras.Model):
            continue
        try:
            clone = kind.from_config(layer.get_config())
        except Exception:  # noqa: BLE001  the layer's own code may raise anything; the format .keras then says so
            continue
        for name in inspect.signature(kind.__init__).parameters:
            value, other = vars(layer).get(name), vars(clone).get(name)
            if isinstance(value, int | float | str) and type(other) is type(value) and other != value:
                yield (
                    f"layer {call.site.path!r} ({call.site.kind}): get_config leaves out {name}={value!r}, so that it "
                    f"is {other!r} in a model that was saved and loaded; {place.quoted}"
                )


def _not_finite(value: Any) -> bool:
    array = value if isinstance(value, np.ndarray) else to_array(value)
    return array.dtype.kind in "fc" and not bool(np.isfinite(array).all())
