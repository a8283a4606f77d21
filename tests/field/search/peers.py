"""Sessions that compute in this process, as if a runtime of another one did."""

from types import SimpleNamespace

import numpy as np

from kexport.bundle.domain import Choice, Uniform
from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Signature, TensorSpec
from kexport.field.search import PeerReference, SearchTarget, Terms
from kexport.parity.space import Space

SIGNATURE = Signature((TensorSpec("x", "float32", (None, 2)),), (TensorSpec("y", "float32", (None, 2)),))
LIMIT = OutputLimit("y", 1.0, 1e-7, 4e-7, "float64 twin")


def terms(domain=None):
    space = Space(SIGNATURE, {"x": domain or Uniform(-1, 1)}, [{"x": (1, 2)}])
    return Terms(SIGNATURE, space, {"y": LIMIT}, 2.0**-23)


DISCRETE = terms(Choice(-1.0, 0.0, 1.0))


class Peer:
    """A runtime named by the format that it reads; `function` makes y of x."""

    def __init__(self, name, function, has_failed=False):
        self.runtime = SimpleNamespace(name=name, reads=name, accumulation_factor=1.0)
        self.label, self.artifact, self.has_failed = name, f"model.{name}", has_failed
        self._function = function

    def start(self, calls, *, fresh=False):
        self._calls = calls

    def finish(self):
        return [{"y": np.asarray(self._function(call["x"]), "float32")} for call in self._calls]

    def run(self, calls, *, fresh=False):
        self.start(calls, fresh=fresh)
        return self.finish()


def target(one, other, on=None):
    on = on or terms()
    return SearchTarget(one, PeerReference(other, on), on, 0)
