"""Functions of one array, an element at a time."""

from keras import ops

from coverage_cases._draw import booleans, choices, halves, integers, normal, special, uniform
from coverage_cases.ops._operation import Operations

CASES = Operations()
of = CASES.of
_REAL, _POSITIVE, _UNIT = normal(4, 5), uniform(0.1, 4, 4, 5), uniform(-0.95, 0.95, 4, 5)
_WHOLE = integers(-20, 20, 4, 5)

for _name in (
    "absolute fabs angle arcsinh arctan cbrt ceil conjugate cos cosh deg2rad erf erfc exp exp2 expm1 floor imag "
    "isfinite isinf isnan isneginf isposinf isreal negative rad2deg real sign signbit sin sinc sinh square tan tanh "
    "trunc i0 copy ones_like zeros_like nan_to_num stop_gradient"
).split():
    of(f"{_name}/default", _REAL, getattr(ops, _name))
for _name in "sqrt rsqrt log log2 log10 log1p reciprocal".split():
    of(f"{_name}/default", _POSITIVE, getattr(ops, _name))
for _name in "arcsin arccos arctanh erfinv".split():
    of(f"{_name}/default", _UNIT, getattr(ops, _name))
of("arccosh/default", uniform(1.1, 5, 4, 5), ops.arccosh)
for _name in "isnan isinf isfinite isposinf isneginf nan_to_num sign abs floor relu exp".split():
    of(f"{_name}/special", special(4, 5), getattr(ops, _name))
for _name in "sign abs negative square floor ceil exp sqrt log trunc".split():
    _draw = integers(1, 20, 4, 5) if _name in ("sqrt", "log") else integers(-4, 5, 4, 5)
    of(f"{_name}/int", _draw, getattr(ops, _name))
for _name in "exp sin erf expm1 log1p".split():
    of(f"{_name}/float64", uniform(-0.9, 2, 4, 5, dtype="float64"), getattr(ops, _name))
of("round/default", normal(4, 5, scale=5), ops.round)
of("round/halves", halves(4, 5), ops.round)
of("round/decimals", normal(4, 5, scale=50), lambda x: ops.round(x, 1))
of("trunc/halves", halves(4, 5), ops.trunc)
of("expm1/tiny", uniform(-1e-4, 1e-4, 4, 5), lambda x: ops.expm1(x) * 1e4)
of("log1p/tiny", uniform(-1e-4, 1e-4, 4, 5), lambda x: ops.log1p(x) * 1e4)
of("exp/wide", normal(4, 5, scale=4), ops.exp)
of("tan/far", normal(4, 5, scale=20), lambda x: ops.sin(x) + ops.cos(x))
of("clip/default", _REAL, lambda x: ops.clip(x, -0.5, 0.7))
of("clip/special", special(4, 5), lambda x: ops.clip(x, -1.0, 1.0))
of("clip/int", _WHOLE, lambda x: ops.clip(x, -5, 7))
of("cast/int_halves", halves(4, 5), lambda x: ops.cast(x, "int32"))
of("cast/bool", choices([0.0, 1.0, -0.5], 4, 5), lambda x: ops.cast(x, "bool"))
of("cast/from_bool", booleans(4, 5), lambda x: ops.cast(x, "float32"))
of("cast/bfloat16", _REAL, lambda x: ops.cast(ops.cast(x, "bfloat16"), "float32"))
of("cast/float16", _REAL, lambda x: ops.cast(ops.cast(x, "float16"), "float32"))
of("cast/int8", integers(-100, 100, 4, 5), lambda x: ops.cast(x, "int8"))
of("cast/uint8", integers(0, 255, 4, 5), lambda x: ops.cast(x, "uint8"))
of("cast/int64", _WHOLE, lambda x: ops.cast(x, "int64"))
of("cast/float64", _REAL, lambda x: ops.cast(x, "float64"))
of("saturate_cast/uint8", normal(4, 5, scale=200), lambda x: ops.saturate_cast(x, "uint8"))
of("bitwise_not/default", _WHOLE, ops.bitwise_not)
of("bitwise_invert/default", _WHOLE, ops.bitwise_invert)
of("logical_not/default", booleans(4, 5), ops.logical_not)
of("logical_not/float", choices([0.0, 1.0, -0.5], 4, 5), ops.logical_not)
of("view/int", _REAL, lambda x: ops.view(x, "int32"))
of("isfinite/int", _WHOLE, ops.isfinite, batch=2)
