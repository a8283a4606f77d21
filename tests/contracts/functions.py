"""A NumPy callable as a contract sees a model: the function, the space of its inputs, and the slack of float32."""

import numpy as np

from kexport.bundle.domain import parse
from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Signature, TensorSpec
from kexport.contracts import Effort, Function, Slack
from kexport.parity.space import Space
from kexport.parity.tolerance import EPSILON, LEAST_ULPS

OUTPUT = "y"


def function_of(
    call, *, inputs=None, domains=None, shapes=(), shape=(None, 8), dtype="float32", scale=None, about=None
):
    """`call(*arrays) -> array` as `(function, space, slack)`.

    `inputs` maps names to shapes, of which `None` is dynamic, by default `{"x": shape}`; `domains` maps names to texts
    or domains, by default `uniform(-1, 1)`; `shapes` are whole inputs by name that the model is known to take, by
    default two of a batch of 3, dynamic axes being 5 and 9 long; `about` names the inputs that the contract speaks of.
    """
    inputs = inputs or {"x": shape}
    domains = {name: (domains or {}).get(name, "uniform(-1, 1)") for name in inputs}
    domains = {name: parse(domain) if isinstance(domain, str) else domain for name, domain in domains.items()}
    specs = tuple(TensorSpec(name, dtype, tuple(own)) for name, own in inputs.items())
    given = list(shapes) or [
        {name: (3, *(length if size is None else size for size in own[1:])) for name, own in inputs.items()}
        for length in (5, 9)
    ]
    rng = np.random.default_rng(0)
    first = given[-1]
    feeds = {
        spec.name: domains[spec.name].sample(rng, (64, *first[spec.name][1:])).astype(spec.numpy_dtype)
        for spec in specs
    }
    found = np.asarray(call(*feeds.values()))
    result = TensorSpec(OUTPUT, found.dtype.name, (None, *[None] * (found.ndim - 1)))
    space = Space(Signature(specs, (result,)), domains, given)

    def called(arrays):
        return {OUTPUT: np.asarray(call(*(arrays[name] for name in inputs)))}

    function = Function(called, space, tuple(about or inputs), (OUTPUT,))
    scale = scale or float(np.abs(found.astype(np.float64)).max()) or 1.0
    return function, space, slack_of(scale, dtype)


def slack_of(scale=1.0, dtype="float32", limit=None):
    """What one element may be off: by default a few units in the last place of the output's scale."""
    epsilon = EPSILON[dtype]
    limit = LEAST_ULPS * epsilon if limit is None else limit
    return Slack({OUTPUT: OutputLimit(OUTPUT, scale, limit / LEAST_ULPS, limit, "declared")}, epsilon)


def checked(contract, call, effort=None, **settings):
    """The verdict of a contract on a NumPy callable."""
    function, space, slack = function_of(call, **settings)
    return contract.check(function, space, slack, effort or Effort(seconds=1.0))
