"""Functions of two arrays, an element at a time."""

from keras import ops

from coverage_cases._draw import booleans, integers, nonzero, normal, special, uniform
from coverage_cases.ops._operation import Operations

CASES = Operations()
of = CASES.of
_REALS = [normal(4, 5), normal(4, 5)]
_WHOLES = [integers(-20, 20, 4, 5), nonzero(6, 4, 5)]
_TRUTHS = [booleans(4, 5), booleans(4, 5)]


def _spread(function):
    return lambda x: function(x[0], x[1])


for _name in (
    "add subtract multiply divide divide_no_nan true_divide maximum minimum fmax fmin arctan2 hypot logaddexp "
    "logaddexp2 floor_divide mod fmod greater greater_equal less less_equal equal not_equal heaviside isclose "
    "nextafter"
).split():
    of(f"{_name}/default", _REALS, _spread(getattr(ops, _name)))
for _name in "add multiply floor_divide mod fmod true_divide maximum equal less subtract".split():
    of(f"{_name}/int", _WHOLES, _spread(getattr(ops, _name)))
for _name in "bitwise_and bitwise_or bitwise_xor".split():
    of(f"{_name}/default", _WHOLES, _spread(getattr(ops, _name)))
for _name in "left_shift right_shift".split():
    _draws = [integers(-20, 20, 4, 5), integers(0, 5, 4, 5)]
    of(f"{_name}/default", _draws, _spread(getattr(ops, _name)))
    of(f"bitwise_{_name}/default", _draws, _spread(getattr(ops, f"bitwise_{_name}")))
for _name in "logical_and logical_or logical_xor".split():
    of(f"{_name}/default", _TRUTHS, _spread(getattr(ops, _name)))
for _name in "maximum minimum fmax equal greater".split():
    of(f"{_name}/special", [special(4, 5), normal(4, 5)], _spread(getattr(ops, _name)))
for _name in "floor_divide mod".split():
    of(
        f"{_name}/int64",
        [integers(-20, 20, 4, dtype="int64"), nonzero(6, 4, dtype="int64")],
        _spread(getattr(ops, _name)),
    )
for _name in "gcd lcm".split():
    of(f"{_name}/int", [integers(1, 40, 4), integers(1, 40, 4)], _spread(getattr(ops, _name)), batch=2)
of("power/default", [uniform(0.1, 3, 4, 5), normal(4, 5)], _spread(ops.power))
of("power/square", normal(4, 5), lambda x: ops.power(x, 3))
of("power/int", [integers(1, 5, 4), integers(0, 4, 4)], _spread(ops.power))
of("ldexp/default", [normal(4, 5), integers(-3, 4, 4, 5)], _spread(ops.ldexp))
of("add/broadcast", [normal(4, 5), normal(1, 5)], _spread(ops.add))
of("add/dynamic", [normal(None, 5), normal(None, 5)], _spread(ops.add))
of("add/float64", [normal(4, dtype="float64"), normal(4, dtype="float64")], _spread(ops.add))
of("add/int_and_float", [integers(-5, 5, 4), normal(4)], _spread(ops.add))
of("where/default", [booleans(4, 5), *_REALS], lambda x: ops.where(x[0], x[1], x[2]))
of("where/broadcast", [booleans(4, 1), *_REALS], lambda x: ops.where(x[0], x[1], 0.0))
of("select/default", _REALS, lambda x: ops.select([x[0] > 0, x[1] > 0], [x[0], x[1]], 3.0))
of("allclose/default", _REALS, lambda x: ops.logical_or(ops.allclose(x[0], x[1]), x[0] > 0))
