"""Inputs that carry outputs as far as the domain lets them."""

import keras
import numpy as np
from keras import layers

import kexport
from kexport.bundle.domain import Samples, parse
from kexport.bundle.goldens import Golden
from kexport.factory.precisions import reaching_inputs
from kexport.factory.trace import trace


def outputs_at(model, domain, golden, between=False):
    """The outputs on all reaching inputs."""
    program = trace(model)
    name = program.signature.inputs[0].name
    goldens = [Golden("random", {name: golden}, {})]
    reached = list(reaching_inputs(program, {name: domain}, goldens, between=between))
    return [np.asarray(model(feeds[name])) for feeds in reached]


def dense():
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((50,), name="x"), layers.Dense(3, name="y")])


def test_of_a_linear_model_they_reach_the_ends_of_the_output():
    model = dense()
    outputs = np.concatenate(outputs_at(model, parse("uniform(-2, 3)"), np.zeros((4, 50), "float32")))
    kernel = np.asarray(model.layers[0].kernel, "float64")
    highest = np.where(kernel > 0, 3 * kernel, -2 * kernel).sum(axis=0)
    lowest = np.where(kernel > 0, -2 * kernel, 3 * kernel).sum(axis=0)
    np.testing.assert_array_max_ulp(outputs.max(axis=0), highest.astype("float32"), maxulp=8)
    np.testing.assert_array_max_ulp(outputs.min(axis=0), lowest.astype("float32"), maxulp=8)


def test_of_recorded_inputs_there_are_none_unless_all_between_them_counts():
    recorded = Samples(np.random.default_rng(0).normal(size=(20, 50)).astype("float32"))
    assert outputs_at(dense(), recorded, np.zeros((4, 50), "float32")) == []
    assert outputs_at(dense(), recorded, np.zeros((4, 50), "float32"), between=True)


def test_of_samples_with_gaps_and_a_domain_with_infinity_they_are_finite():
    golden = np.zeros((4, 50), "float32")
    golden[1, 3] = np.nan
    recorded = Samples(np.random.default_rng(0).normal(size=(20, 50)).astype("float32"))
    for domain, between in ((recorded, True), (parse("choice(0, 1, inf)"), False)):
        outputs = outputs_at(dense(), domain, golden, between)
        assert all(np.isfinite(each).all() for each in outputs)


def test_a_model_without_gradients_has_none():
    x = keras.Input((5,), name="x")
    model = keras.Model(x, keras.ops.cast(keras.ops.argmax(x, axis=-1), "float32"))
    assert outputs_at(model, parse("uniform(-2, 3)"), np.zeros((4, 5), "float32")) == []


def test_an_output_without_axes_is_reached_too():
    x = keras.Input(batch_shape=(2, 3), name="x")
    outputs = outputs_at(keras.Model(x, keras.ops.sum(x)), parse("uniform(-1, 4)"), np.zeros((2, 3), "float32"))
    assert (min(outputs), max(outputs)) == (-6, 24)


def test_integers_of_a_filter_keep_its_promise_at_the_far_ends_of_the_domain(tmp_path):
    settings = {"kernel_size": "31", "cutoff": "40", "sample_rate": "360"}
    bundle = kexport.build("lowpass", tmp_path / "ecg", formats=["tflite"], precision="int16x8,int8", settings=settings)
    assert bundle.passed
    taps = np.asarray(bundle.manifest.contracts[0].params["taps"])
    worst = np.pad(5 * np.sign(taps)[None].astype("float32"), ((0, 0), (15, 15)))
    for precision in ("int16x8", "int8"):
        with kexport.load(bundle.path, "litert", precision=precision) as model:
            assert model(worst).max() > 4.9 * np.abs(taps).sum(), "it ends before the end of the domain"
