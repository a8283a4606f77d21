import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

RANDOM = np.random.default_rng(0)
SHAPES = {"b": 3, "i": 4, "j": 5, "k": 6, "l": 2}


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize(
    "equation",
    [
        "bij,bij->b", "bij,bij->bi", "bij,bkl->bikjl", "i,i->", "i,j->ij", "i,j->ji", "bij,ij->b", "bij,ij->bij",
        "bij->ji", "bij->b", "bii->bi", "bii->b", "ii->", "bij,k->bk", "bij,jb->", "bii,bi->ib", "bi,bi->ib",
    ],
)  # fmt: skip
def test_sums_of_products_are_those_of_float64(converted, equation, dynamic):
    terms = equation.split("->")[0].split(",")
    arrays = [RANDOM.normal(size=[SHAPES[label] for label in term]).astype("float32") for term in terms]
    truth = np.einsum(equation, *(array.astype("float64") for array in arrays))
    results, _ = converted(
        lambda *x: tf.raw_ops.Einsum(inputs=x, equation=equation), "tflite", *arrays, dynamic=dynamic
    )
    for (value,) in results:
        assert_close(value, truth, ulps=16)
