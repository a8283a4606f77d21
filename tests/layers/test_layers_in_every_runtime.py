"""Every constraint layer in one model, in all formats and runtimes: parity holds, and so does every promise."""

import pytest

import kexport
from kexport.runtimes import every as every_runtime

PROMISED = {
    "bounded": {"bounded", "monotonic"},
    "box": {"satisfies"},
    "conserved": {"conserves"},
    "convex": {"convex"},
    "filtered": {"linear_time_invariant", "low_pass"},
    "half": {"satisfies"},
    "lipschitz": {"lipschitz"},
    "monotone": {"monotonic"},
    "plane": {"satisfies"},
    "pooled": {"permutation_invariant"},
    "rate": {"rate_limited", "causal"},
    "scaled": {"scaled"},
    "simplex": {"sums_to", "bounded"},
}


def model_of(policy):
    import keras

    from kexport_layers import (
        BoundedOutput,
        ConservedSum,
        ConvexDense,
        LinearConstraint,
        LipschitzDense,
        LowPassFilter,
        MonotonicDense,
        PermutationPooling,
        RateLimiter,
        ScaledOutput,
        SimplexOutput,
    )

    keras.config.set_dtype_policy(policy)
    try:
        x, r = keras.Input((6,), name="x"), keras.Input((6,), name="r")
        signal, members = keras.Input((None,), name="signal"), keras.Input((None, 3), name="members")
        first = ConvexDense(5, "relu", name="first")(x)
        outputs = {
            "bounded": BoundedOutput(-1, 3, name="bounded")(x),
            "box": LinearConstraint(low=-1, high=[1, 1, 1, 1, 1, 0.5], name="box")(x),
            "conserved": ConservedSum(name="conserved")(x, r),
            "convex": ConvexDense(2, "softplus", hidden=True, name="convex")(first, x),
            "filtered": LowPassFilter(9, 0.2, 1.0, name="filtered")(signal),
            "half": LinearConstraint(a=[1, 2, 0, 0, 0, 0], at_most=0.5, name="half")(x),
            "lipschitz": LipschitzDense(4, 0.7, kernel_initializer="orthogonal", name="lipschitz")(x),
            "monotone": MonotonicDense(4, [1, -1, 0, 1, 1, 1], "tanh", name="monotone")(x),
            "plane": LinearConstraint(A=[[1, 1, 1, 0, 0, 0], [0, 0, 1, -1, 2, 0]], b=[1, 2], name="plane")(x),
            "pooled": PermutationPooling("mean", name="pooled")(members),
            "rate": RateLimiter(0.1, name="rate")(signal),
            "scaled": ScaledOutput(-2.5, name="scaled")(x),
            "simplex": SimplexOutput(3, name="simplex")(x),
        }
        return keras.Model([x, r, signal, members], outputs, name="all_layers")
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.fixture(scope="module", params=["float32", "mixed_float16"])
def bundle(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("layers") / request.param
    formats = None if request.param == "float32" else ["onnx", "tflite"]  # all formats once are slow enough
    return kexport.build(model_of(request.param), folder, domain={"x": "uniform(-4, 4)"}, formats=formats)


def test_every_promise_is_checked_in_every_runtime_and_holds(bundle):
    assert bundle.passed, [check for check in bundle.report.checks if not check.passed]
    found = {}
    for promised in bundle.manifest.contracts:
        found.setdefault(promised.outputs[0], set()).add(promised.kind)
    assert found == PROMISED
    checked = {(c.runtime, c.output, c.contract) for c in bundle.report.checks if c.kind == "contract"}
    formats = {artifact.format for artifact in bundle.manifest.artifacts}
    runtimes = [runtime for runtime in every_runtime() if runtime.reads in formats]
    assert len(checked) == sum(map(len, PROMISED.values())) * len(runtimes)


def test_no_operator_is_a_custom_one_and_what_is_made_of_weights_is_constant(bundle):
    details = {artifact.format: artifact.details for artifact in bundle.manifest.artifacts}
    assert not [name for name in details["tflite"]["ops"] if "CUSTOM" in name.upper() or "FLEX" in name.upper()]
    assert set(details["onnx"]["opset"]) <= {"ai.onnx", "ai.onnx.ml"}
    assert not set(details["onnx"]["ops"]) & {"Abs", "Sqrt", "TopK"}
