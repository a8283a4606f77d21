"""The layers between bounds, on a simplex, of a kept sum and under linear constraints, exported in one model."""

import keras
import pytest

import kexport
import kexport_layers as layers

BUILTIN = {
    "onnx": {"Add", "Clip", "MatMul", "Max", "Min", "Mul", "ReduceMean", "Relu", "Sigmoid", "Softmax", "Sub", "Tanh"},
    "tflite": {
        "ADD", "FULLY_CONNECTED", "LOGISTIC", "MAXIMUM", "MEAN", "MINIMUM", "MUL", "RELU", "SOFTMAX", "SUB", "TANH",
    },
}  # fmt: skip


@pytest.fixture(scope="module", params=["float32", "mixed_float16"])
def bundle(request, tmp_path_factory):
    x, reference = keras.Input((4,), name="x"), keras.Input((4,), name="reference")
    kinds = {
        "sigmoid": layers.BoundedOutput(-1, 3, dtype=request.param),
        "tanh": layers.BoundedOutput(0, 10, "tanh", dtype=request.param),
        "clip": layers.BoundedOutput(-1, 0.5, "clip", dtype=request.param),
        "simplex": layers.SimplexOutput(3.0, dtype=request.param),
        "plane": layers.LinearConstraint(A=[[1, 1, 0, 0], [0, 1, -1, 2]], b=[1, 2], dtype=request.param),
        "box": layers.LinearConstraint(low=-1, high=[1, 1, 1, 0.5], dtype=request.param),
        "half": layers.LinearConstraint(a=[1, 2, 0, 0], at_most=0.5, dtype=request.param),
    }
    outputs = {name: layer(x) for name, layer in kinds.items()}
    outputs["kept"] = layers.ConservedSum(dtype=request.param)(x, reference)
    model = keras.Model([x, reference], outputs, name="constrained")
    return kexport.build(model, tmp_path_factory.mktemp("constrained") / "b")


def test_every_format_keeps_every_promise(bundle):
    assert bundle.passed, bundle.report
    kinds = {promised.kind for promised in bundle.manifest.contracts}
    assert kinds == {"bounded", "monotonic", "satisfies", "sums_to", "conserves"}


def test_neither_casts_nor_custom_operators_are_in_the_artifacts(bundle):
    found = {a.path.split(".")[-1]: a.details["ops"] for a in bundle.manifest.artifacts if "ops" in a.details}
    assert found.keys() == BUILTIN.keys()
    for form, operators in found.items():
        assert {name.split(" ")[0] for name in operators} <= BUILTIN[form]
