"""The truth and the limits that follow from it."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from kexport.bundle import goldens
from kexport.bundle.domain import Samples, Uniform
from kexport.bundle.signature import TensorSpec
from kexport.factory.inputs.domains import resolve_domains
from kexport.factory.trace.program import trace
from kexport.factory.truth import PERTURBATION, TWIN, establish, float64_twin
from kexport.factory.truth.goldens import _Output, _pooled
from kexport.factory.truth.model_runs import ModelRuns
from kexport.factory.truth.oracle import Oracle
from kexport.parity.tolerance import EPSILON
from kexport.testing.closeness import assert_close, assert_within


def truth_of(model, **domains):
    program = trace(model)
    return program, establish(program, Oracle(program), resolve_domains(program, domains).domains)


class Plain(keras.Model):
    """No configuration tells how to make it again."""

    def __init__(self, width):
        super().__init__()
        self.inner = layers.Dense(width)

    def call(self, x):
        return self.inner(x)


def test_a_subclassed_model_has_a_twin_in_place_and_is_left_as_it_was():
    model = Plain(3)
    model(np.ones((1, 4), "float32"))
    before = [weight.copy() for weight in model.get_weights()]
    _, truth = truth_of(model)
    assert truth.limits[0].source == TWIN
    assert 0 < truth.limits[0].floor < 8 * EPSILON["float32"]
    assert model.inner.dtype_policy.name == "float32"
    for weight, own in zip(model.get_weights(), before, strict=True):
        assert weight.dtype == own.dtype
        assert np.array_equal(weight, own)
    assert keras.config.floatx() == "float32"


def test_where_rounding_decides_much_of_a_sample_no_element_of_it_is_safe_by_chance():
    moved = np.zeros((3, 32), "float32")
    moved[0, :4] = [1.0, 2.0, 3.0, np.inf]  # much of it
    moved[1, :1] = 5.0  # a little
    pooled = _pooled(moved, 0.5)
    np.testing.assert_array_equal(pooled[0], [3.0, 3.0, 3.0, np.inf] + [3.0] * 28)
    np.testing.assert_array_equal(pooled[1:], moved[1:])


def test_where_rounding_decides_between_answers_all_of_them_are_seen():
    """A constant input, normalised, is zero but for rounding, whose order decides which weight each element gets."""
    x = keras.Input((8,), name="x")
    order = ops.argsort(layers.LayerNormalization(epsilon=1e-6)(x * 0.1), axis=-1)
    model = keras.Model(x, ops.sum(ops.take(np.geomspace(1, 1000, 8).astype("float32"), order[:, :1]), axis=-1))
    program = trace(model)
    oracle = Oracle(program)
    equal = [np.full((64, 8), 0.7, "float32")]
    keras_outputs = oracle.outputs([equal])
    runs = ModelRuns.of(oracle, program.signature, [equal], keras_outputs)
    drawn = np.stack([draw[0] for draw in runs.nudged[0]])
    assert len(np.unique(drawn)) == 8
    assert (np.ptp(drawn, axis=0) > 100).mean() > 0.9


def test_lengths_for_which_a_model_gives_nothing_are_not_tried():
    """Without its first row, a sequence of one is empty: so is the output, or the mean of it is not a number."""
    x = keras.Input((None, 2), name="x")
    for output in (x[:, 1:], layers.GlobalAveragePooling1D()(x[:, 1:])):
        _, truth = truth_of(keras.Model(x, output))
        lengths = {golden.inputs["x"].shape[1] for golden in truth.goldens}
        assert lengths
        assert 1 not in lengths


@pytest.mark.parametrize(("policy", "dtype"), [("mixed_float16", "float16"), ("mixed_bfloat16", "bfloat16")])
def test_half_precision_inside_has_the_floor_of_half_though_the_output_is_single(policy, dtype):
    x = keras.Input((8,), name="x")
    hidden = layers.Dense(16, activation="tanh", dtype=policy)(x)
    model = keras.Model(x, layers.Dense(3, dtype="float32", name="y")(hidden))
    _, truth = truth_of(model)
    assert truth.limits[0].source == TWIN
    assert EPSILON[dtype] / 16 < truth.limits[0].floor < EPSILON[dtype] * 4


def test_the_truth_of_a_float64_model_is_the_model():
    x = keras.Input((4,), dtype="float64", name="x")
    _, truth = truth_of(keras.Model(x, layers.Dense(3, dtype="float64", name="y")(x)))
    assert truth.limits[0].limit <= 8 * EPSILON["float64"]


def test_rounding_of_a_tie_has_two_right_answers():
    x = keras.Input((1,), name="x")
    model = keras.Model(x, ops.cast(ops.round((x / 41.0) * 41.0 * 0.5), "int32"))
    values = np.random.default_rng(0).integers(1, 2000, (400, 1)).astype("float32") * 0.7
    values[:200] = np.round(values[:200] / 0.7)  # odd ones lie on a tie, where float32 errs to either side
    _, truth = truth_of(model, x=Samples(values))
    assert truth.limits[0].limit == 0
    two = [golden for golden in truth.goldens if golden.keras_output]
    assert two
    for golden in two:
        (name,) = golden.keras_output
        assert (golden.keras_output[name] != golden.truth[name]).any()


def test_where_single_precision_overflows_its_own_answer_is_kept_beside_the_truth():
    x = keras.Input((1,), name="x")
    model = keras.Model(x, ops.exp(x * 60) / (1 + ops.exp(x * 60)))
    _, truth = truth_of(model, x=Uniform(0, 4))
    kept = [own for golden in truth.goldens for own in golden.keras_output.values()]
    assert any(np.isnan(own).any() for own in kept)
    assert_close(truth.limits[0].scale, 1.0)


def test_infinity_is_not_perturbed_into_nan():
    x = keras.Input((3,), name="x")
    values = np.array([[np.inf, -np.inf, 1.0], [np.nan, 2.0, 0.0]], "float32")
    _, truth = truth_of(keras.Model(x, ops.nan_to_num(x)), x=Samples(values))
    assert truth.limits[0].limit < 64 * EPSILON["float32"]


def test_an_output_of_one_number_has_a_truth_too():
    x = keras.Input((3,), name="x")
    program, truth = truth_of(keras.Model(x, ops.logsumexp(x)))
    (name,) = (spec.name for spec in program.signature.outputs)
    assert all(golden.truth[name].shape == () for golden in truth.goldens)
    assert truth.limits[0].source == TWIN


def test_a_twin_whose_outputs_have_other_shapes_is_no_twin():
    x = keras.Input((3,), name="x")
    program, truth = truth_of(keras.Model(x, ops.view(x, "int32")))
    (name,) = (spec.name for spec in program.signature.outputs)
    assert all(golden.truth[name].shape == golden.inputs["x"].shape for golden in truth.goldens)


def test_the_places_of_a_projective_transform_have_a_floor():
    x = keras.Input((10, 12, 1), name="x")
    turn = ops.array([1.0, 0.1, 1.0, -0.1, 0.9, 0.5, 0.0, 0.0])
    _, truth = truth_of(keras.Model(x, ops.image.affine_transform(x, turn)))
    assert truth.limits[0].floor == 12 * EPSILON["float32"]


def test_without_a_twin_the_model_is_perturbed():
    class Stubborn(keras.layers.Layer):
        def call(self, x):
            if keras.config.floatx() == "float64":
                raise RuntimeError("never in double")
            return ops.tanh(x)

    x = keras.Input((4,), name="x")
    _, truth = truth_of(keras.Model(x, Stubborn(name="y")(x)))
    assert truth.limits[0].source == PERTURBATION


def test_a_quantised_model_is_not_doubled_in_place():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    model.layers[0].quantize("int8")
    with pytest.raises(NotImplementedError), float64_twin.in_place(model):
        pass


def test_goldens_of_text_and_of_two_answers_are_read_as_written(tmp_path):
    x = keras.Input((2,), dtype="string", name="x")
    model = keras.Model(x, layers.Identity(dtype="string", name="y")(x))
    program, truth = truth_of(model, x=np.array([["a", "é"], ["", "long text"]], object))
    extra = goldens.Golden("more", truth.goldens[0].inputs, truth.goldens[0].truth, truth.goldens[0].truth)
    goldens.write(tmp_path / "g.npz", [*truth.goldens, extra])
    read = list(goldens.stream(tmp_path / "g.npz", program.signature, [""] * (len(truth.goldens) + 1)))
    for one, other in zip([*truth.goldens, extra], read, strict=True):
        for part in ("inputs", "truth", "keras_output"):
            ours, theirs = getattr(one, part), getattr(other, part)
            assert {k: v.tolist() for k, v in ours.items()} == {k: v.tolist() for k, v in theirs.items()}


@pytest.mark.parametrize(("policy", "dtype"), [("mixed_float16", "float16"), ("mixed_bfloat16", "bfloat16")])
def test_half_precision_admits_what_keras_computes_and_what_is_nearer_to_the_truth(policy, dtype):
    x = keras.Input((8,), name="x")
    model = keras.Model(x, layers.Dense(3, activation="softmax", dtype=policy, name="y")(x))
    single = keras.models.clone_model(model, clone_function=lambda layer: type(layer).from_config(
        {**layer.get_config(), "dtype": "float32"}
    ))  # fmt: skip
    single.set_weights(model.get_weights())
    program, truth = truth_of(model)
    (spec,), (limit,) = program.signature.outputs, truth.limits
    assert spec.dtype == dtype
    for golden in truth.goldens:
        for candidate in (model, single):
            value = np.asarray(candidate(golden.inputs["x"], training=False)).astype("float64")
            assert_within(value, golden.truth["y"], limit)


@pytest.mark.parametrize("nested", [False, True])
def test_a_cast_ends_a_mask_in_the_twin_as_in_the_model(nested):
    x = keras.Input((None,), dtype="int32", name="x")
    narrow = ops.cast(layers.Embedding(5, 4, mask_zero=True)(x), "bfloat16")
    inner = keras.Model(x, ops.cast(layers.Dense(3, dtype="bfloat16")(narrow), "float32"))
    hidden = inner(x) if nested else inner.output
    _, truth = truth_of(keras.Model(x, layers.GRU(2, return_sequences=True)(hidden)))
    assert truth.limits[0].source == TWIN
    assert truth.limits[0].floor < EPSILON["bfloat16"] * 8


def test_the_few_numbers_between_whose_answers_rounding_decides_say_nothing_of_the_noise_of_others():
    """Angles of most spectra of constant or alternating numbers are rounding errors: any from -pi to pi."""
    truth = np.full((8, 10), 3.0)
    keras_output = np.full((8, 10), np.nextafter(np.float32(3), np.float32(4)))
    keras_output[:, 0] = -3.0
    moved = np.full((8, 10), EPSILON["float32"])
    moved[:, 0] = 6.0
    spec = TensorSpec("y", "float32", (None, 10))
    floor = _Output(spec, [keras_output], [truth], [moved], by_twin=True).limit(EPSILON["float32"], 0.0).floor
    assert 0 < floor < EPSILON["float32"]
    moved[:, :6] = 6.0  # rounding decides most of what the model computes: nothing can be concluded
    assert _Output(spec, [keras_output], [truth], [moved], by_twin=True).limit(EPSILON["float32"], 0.0).floor > 1
