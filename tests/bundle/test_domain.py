import numpy as np
import pytest

from kexport.bundle.declaration import coerce
from kexport.bundle.domain import Choice, Ints, Normal, Samples, Uniform, default_for, parse
from kexport.bundle.signature import TensorSpec
from kexport.errors import UsageError

FLOAT = TensorSpec("x", "float32", (None,))
WHOLE = TensorSpec("x", "int32", (None,))


@pytest.mark.parametrize("domain", [Uniform(-5, 5), Normal(0, 2), Ints(0, 10), Choice(1, 2.5, 4)])
def test_a_domain_reads_its_own_text_and_samples_within_its_corners(domain):
    assert parse(str(domain)) == domain
    values = domain.sample(np.random.default_rng(0), (50,))
    if not isinstance(domain, Normal):
        assert min(domain.corners()) <= values.min()
        assert values.max() <= max(domain.corners())


@pytest.mark.parametrize(
    "text",
    ["", "uniform", "uniform(1)x", "uniform(1, 1)", "uniform(2, 1)", "uniform(nan, 1)", "ints(0.5, 2)", "choice()",
     "normal(0, 0)", "uniform(__import__('os'), 1)", "box(1, 2)", "uniform(1, 2, 3)", "uniform(1e400, 2)"],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(text):
    with pytest.raises(UsageError):
        parse(text)


def test_defaults_and_declarations_of_every_kind():
    assert default_for(FLOAT) == Uniform(-1, 1)
    assert coerce("x", (0, 5), FLOAT) == Uniform(0, 5)
    assert coerce("x", (0, 5), WHOLE) == Ints(0, 5)
    assert coerce("x", "ints(0, 3)", WHOLE) == Ints(0, 3)
    assert isinstance(coerce("x", np.zeros(4), FLOAT), Samples)
    for wrong in (3.0, np.zeros((0, 2)), object()):
        with pytest.raises(UsageError):
            coerce("x", wrong, FLOAT)
