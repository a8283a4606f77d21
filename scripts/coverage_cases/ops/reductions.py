"""Reductions, sorting and statistics."""

from keras import ops

from coverage_cases._draw import booleans, choices, integers, normal, special, uniform
from coverage_cases.ops._operation import Operations

CASES = Operations()
of = CASES.of
_REAL, _WHOLE = normal(4, 5), integers(-9, 9, 4, 5)

for _name in "sum mean max min amax amin prod std var median ptp logsumexp nanmax nanmin nanmean nansum".split():
    of(f"{_name}/last", _REAL, lambda x, name=_name: getattr(ops, name)(x, -1))
for _name in "sum mean max prod".split():
    of(f"{_name}/keepdims", normal(None, 5), lambda x, name=_name: getattr(ops, name)(x, axis=(1, 2), keepdims=True))
for _name in "sum mean max std prod".split():
    of(f"{_name}/all", _REAL, lambda x, name=_name: getattr(ops, name)(x))
for _name in "sum mean max min prod".split():
    of(f"{_name}/int", integers(-4, 5, 4, 5), lambda x, name=_name: getattr(ops, name)(x, axis=1))
for _name in "max sum nanmax nanmin nanmean nansum nanstd nanvar nanprod".split():
    of(
        f"{_name}/special",
        choices([float("nan"), 1.5, -2.0, 0.25], 4, 5),
        lambda x, name=_name: getattr(ops, name)(x, -1),
    )
for _name in "nanargmax nanargmin".split():
    of(f"{_name}/default", _REAL, lambda x, name=_name: getattr(ops, name)(x, -1))
for _name in "nancumsum nancumprod".split():
    of(
        f"{_name}/default",
        choices([float("nan"), 1.5, -2.0, 0.25], 4, 5),
        lambda x, name=_name: getattr(ops, name)(x, 1),
    )
of("sum/bool", booleans(4, 5), lambda x: ops.sum(x, -1))
of("any/default", _REAL, lambda x: ops.any(x > 1, -1))
of("all/default", _REAL, lambda x: ops.all(x > -1, -1))
of("all/float", choices([0.0, 1.0], 4, 5), lambda x: ops.all(x, axis=1))
of("count_nonzero/default", choices([0.0, 1.0, 2.0], 4, 5), lambda x: ops.count_nonzero(x, -1))
of("average/weighted", _REAL, lambda x: ops.average(x, 1, weights=[1.0, 2.0, 0.5, 3.0]), batch=2)
of("argmax/last", _REAL, lambda x: ops.argmax(x, -1))
of("argmax/int", _WHOLE, lambda x: ops.argmax(x, -1))
of("argmax/keepdims", _REAL, lambda x: ops.argmax(x, 1, keepdims=True))
of("argmax/dynamic", normal(None, 5), lambda x: ops.argmax(x, 1))
of("argmin/last", _REAL, lambda x: ops.argmin(x, -1))
of("cumsum/default", _REAL, lambda x: ops.cumsum(x, axis=1))
of("cumsum/int", _WHOLE, lambda x: ops.cumsum(x, axis=-1))
of("cumsum/dynamic", normal(None, 5), lambda x: ops.cumsum(x, axis=1))
of("cumprod/default", _REAL, lambda x: ops.cumprod(x, axis=1))
of("cumprod/dynamic", uniform(0.5, 1.5, None, 5), lambda x: ops.cumprod(x, axis=1))
of("diff/default", _REAL, lambda x: ops.diff(x, axis=1))
of("diff/second", _REAL, lambda x: ops.diff(x, 2))
of("quantile/one", _REAL, lambda x: ops.quantile(x, 0.3, axis=-1))
of("quantile/several", _REAL, lambda x: ops.quantile(x, [0.1, 0.5], axis=1, keepdims=True))
of("quantile/nearest", _REAL, lambda x: ops.quantile(x, 0.4, axis=-1, method="nearest"))
of("quantile/dynamic", normal(None, 5), lambda x: ops.quantile(x, [0.1, 0.6], axis=1))
of("percentile/default", _REAL, lambda x: ops.percentile(x, 30, axis=-1))
of("median/keepdims", _REAL, lambda x: ops.median(x, 1, keepdims=True))
of("sort/default", _REAL, lambda x: ops.sort(x, axis=-1))
of("sort/axis1", _REAL, lambda x: ops.sort(x, axis=1))
of("sort/int", _WHOLE, lambda x: ops.sort(x))
of("sort/dynamic", normal(None, 5), lambda x: ops.sort(x, axis=1))
of("sort/infinite", choices([float("inf"), -float("inf"), 1.0, 2.0], 4, 5), lambda x: ops.sort(x))
of("argsort/default", _REAL, lambda x: ops.argsort(x, axis=-1))
of("argsort/axis1", _REAL, lambda x: ops.argsort(x, axis=1))
of("argsort/ties", integers(0, 3, 4, 5), lambda x: ops.argsort(x, axis=-1))
of("argpartition/default", normal(5), lambda x: ops.take(x[0], ops.argpartition(x[0], 2))[2])
of("top_k/default", _REAL, lambda x: list(ops.top_k(x, 3)))
of("top_k/int", _WHOLE, lambda x: ops.top_k(x, 2)[0])
of("in_top_k/default", [integers(0, 5), normal(5)], lambda x: ops.in_top_k(x[0], x[1], 2))
of("bincount/default", integers(0, 6, 7), lambda x: ops.bincount(x, minlength=6))
of("bincount/weighted", [integers(0, 6, 7), normal(7)], lambda x: ops.bincount(x[0], weights=x[1], minlength=6))
of("histogram/default", normal(20), lambda x: ops.histogram(ops.reshape(x, (-1,)), 5, (-2.0, 2.0))[0])
of("digitize/default", _REAL, lambda x: ops.digitize(x, [-1.0, 0.0, 1.0]))
of("digitize/int", _WHOLE, lambda x: ops.digitize(x, [-3, 0, 3]))
of(
    "searchsorted/default",
    normal(6),
    lambda x: ops.searchsorted(ops.array([-1.0, 0.0, 0.5, 2.0]), ops.reshape(x, (-1,))),
)
of("correlate/default", normal(6), lambda x: ops.correlate(x[0], ops.array([1.0, 2.0, 0.5]), mode="full"))
of("moments/default", _REAL, lambda x: list(ops.moments(x, axes=[1, 2])))
of("trapezoid/default", _REAL, lambda x: ops.trapezoid(x, dx=0.5, axis=-1))
of("unique/sorted", integers(0, 5, 7), lambda x: ops.unique(ops.reshape(x, (-1,))))
of("max/special_all", special(4, 5), lambda x: ops.max(x, -1))
