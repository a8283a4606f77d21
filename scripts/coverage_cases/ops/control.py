"""Loops, branches and mapped functions."""

from keras import ops

from coverage_cases._case import Cases
from coverage_cases._draw import integers, normal
from coverage_cases.ops._operation import Operations

CASES = Operations()
of = CASES.of
_REAL = normal(4, 5)


def _five_times(x):
    return ops.while_loop(lambda i, y: i < 5, lambda i, y: (i + 1, ops.tanh(y) + 0.1), (0, x))[1]


def _until_small(x):
    return ops.while_loop(lambda y: ops.max(ops.abs(y)) > 0.1, lambda y: (y / 2,), (x,))[0]


of("while_loop/counted", _REAL, _five_times)
of("while_loop/until", _REAL, _until_small)
of("fori_loop/default", _REAL, lambda x: ops.fori_loop(0, 4, lambda i, y: y * 0.5 + 1.0, x))
of("cond/default", _REAL, lambda x: ops.cond(ops.sum(x) > 0, lambda: x + 1, lambda: x * 2))
of("switch/default", [_REAL, integers(0, 3, 1)], lambda x: ops.switch(x[1][0, 0], [ops.sin, ops.cos, ops.tanh], x[0]))
of("map/default", _REAL, lambda x: ops.map(lambda row: ops.sum(row) * row, x))
of("vectorized_map/default", _REAL, lambda x: ops.vectorized_map(lambda row: ops.sum(row) * row, x))
of("scan/default", _REAL, lambda x: ops.scan(lambda c, row: (c + row, c * row), ops.zeros((4, 5)), x)[1])
of(
    "scan/static",
    normal(4, 5),
    lambda x: ops.scan(lambda c, row: (c + row, c * 2), ops.zeros_like(x[:, 0]), ops.transpose(x, (1, 0, 2)))[1],
)


def _recurrence(earlier, later):
    return earlier[0] * later[0], later[0] * earlier[1] + later[1]


# Keras cannot tell a layer the shape of a scan: these are operations of a functional model.
for _name, _draw in (("default", _REAL), ("dynamic", normal(None, 5))):
    Cases.of(CASES, f"associative_scan/{_name}", _draw, lambda x: ops.associative_scan(ops.add, x, axis=1))
Cases.of(
    CASES,
    "associative_scan/recurrence",
    normal(None, 5),
    lambda x: ops.associative_scan(_recurrence, (ops.sigmoid(x), x), axis=1)[1],
)
