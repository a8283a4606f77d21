import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

RANDOM = np.random.default_rng(0)
SHAPES = {"b": 3, "i": 4, "j": 5, "k": 6, "l": 2, "m": 3}
OPERATORS = {"MatMul", "Reshape", "Transpose"}
OF_SHAPES = {"Shape", "Gather", "Cast", "Mul", "Concat", "Slice", "Squeeze", "Unsqueeze", "ReduceProd"}


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize(
    "equation",
    [
        "bij,jkl->bikl", "bikl,bjkl->bkji", "bkij,bjkl->bikl", "bij,bjk->bik", "bij,bkj->bki", "bijk,jkl->bil",
        "bil,lkm->bikm", "bijkl,bijkm->blm", "bijklm,bijkm->blki", "bj,jlkm->bmkl", "jl,bij->bil",
    ],
)  # fmt: skip
def test_products_are_those_of_float64_by_matrices_alone(converted, equation, dynamic):
    terms = equation.split("->")[0].split(",")
    arrays = [RANDOM.normal(size=[SHAPES[label] for label in term]).astype("float32") for term in terms]
    truth = np.einsum(equation, *(array.astype("float64") for array in arrays))
    results, operators = converted(
        lambda *x: tf.raw_ops.Einsum(inputs=x, equation=equation), "onnx", *arrays, dynamic=dynamic
    )
    for (value,) in results:
        assert_close(value, truth, ulps=16)
    assert "MatMul" in operators
    assert operators <= OPERATORS | OF_SHAPES


@pytest.mark.parametrize("equation", ["bij,bij->b", "i,j->ij", "bij,bkl->bikjl", "bii->bi", "ii->", "bij,k->bk"])
def test_sums_without_a_product_of_matrices_are_those_of_float64(converted, equation):
    terms = equation.split("->")[0].split(",")
    arrays = [RANDOM.normal(size=[SHAPES[label] for label in term]).astype("float32") for term in terms]
    truth = np.einsum(equation, *(array.astype("float64") for array in arrays))
    results, _ = converted(lambda *x: tf.raw_ops.Einsum(inputs=x, equation=equation), "onnx", *arrays, dynamic=True)
    for (value,) in results:
        assert_close(value, truth, ulps=16)


def test_attention_of_a_fixed_length_computes_no_sizes(exported):
    import keras

    x = keras.Input((5, 6))
    model = keras.Model(x, keras.layers.MultiHeadAttention(2, 3)(x, x))
    given = RANDOM.normal(size=(2, 5, 6)).astype("float32")
    results, operators = exported(model, "onnx", given)
    for (value,) in results:
        assert_close(value, model(given).numpy(), ulps=16)
    assert set(operators) == {"MatMul", "Reshape", "Transpose", "Mul", "Softmax"}
