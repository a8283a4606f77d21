"""The parts of ragged and sparse tensors among the inputs of a signature."""

import pytest

from kexport.bundle.composite_inputs import composite_parts
from kexport.bundle.signature import TensorSpec


def specs(**inputs):
    return [TensorSpec(name, dtype, shape) for name, (dtype, shape) in inputs.items()]


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (specs(x=("float32", (None,)), x_1=("int64", (None,))), "inputs x, x_1 look like the values and row splits"),
        (specs(x=("float32", (None, 3)), x_1=("int64", (None,)), x_2=("int64", (None,))), "row splits"),
        (specs(r_component_0=("float32", (None,)), r_component_1=("int64", (None,))), "row splits"),
        (specs(x=("int64", (None, 2)), x_1=("float32", (None,)), x_2=("int64", (2,))), "of a sparse tensor"),
        (
            specs(s_indices=("int64", (None, 2)), s_values=("float32", (None,)), s_dense_shape=("int64", (2,))),
            "inputs s_dense_shape, s_indices, s_values look like the indices, values and shape of a sparse tensor",
        ),
        (specs(x=("float32", (None, 4)), x_1=("float32", (None, 4))), ""),
        (specs(x=("float32", (None, 4)), y=("int64", (None,))), ""),
    ],
)
def test_parts_are_told_by_names_dtypes_and_shapes(inputs, said):
    found = composite_parts(inputs)
    assert said in found
    assert bool(found) is bool(said)
