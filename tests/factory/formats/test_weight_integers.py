"""Weights of int16x8 that are rounded for the inputs of the calibration."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import kexport
from kexport.factory.formats import _weight_integers
from kexport.factory.formats._closest_integers import closest_integers, closest_integers_and_steps
from kexport.factory.formats._layer_patches import patches
from kexport.factory.formats._small_weights import of_tflite
from kexport.runtimes.files import tflite
from kexport.testing.closeness import assert_close


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("strides", "dilations"), [((1, 1), (1, 1)), ((2, 3), (1, 1)), ((1, 1), (2, 3))])
def test_patches_are_what_a_convolution_multiplies_by_its_kernel(padding, strides, dilations):
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(2, 11, 13, 3)), rng.normal(size=(3, 4, 3, 5))
    options = SimpleNamespace(
        padding=("SAME", "VALID").index(padding), strideH=strides[0], strideW=strides[1],
        dilationHFactor=dilations[0], dilationWFactor=dilations[1],
    )  # fmt: skip
    wanted = tf.nn.conv2d(x, kernel, strides, padding, dilations=dilations).numpy()
    assert_close(np.einsum("bhwijc,ijco->bhwo", patches(x, (3, 4), options), kernel), wanted)


@pytest.mark.parametrize("inputs", [12, 100])
def test_each_weight_goes_up_or_down_and_the_error_gets_less(inputs):
    rng = np.random.default_rng(1)
    walks = np.cumsum(rng.integers(-50, 50, size=(400, inputs)), axis=1).astype("float64")
    rows = rng.uniform(-127, 127, size=(3, inputs))
    integers = closest_integers(rows, np.einsum("ri,rj->ij", walks, walks)[None])
    assert np.isin(integers - np.floor(rows), (0, 1)).all()
    assert np.abs(integers).max() <= 127
    nearest, found = (np.square((rows - each) @ walks.T).sum(axis=1) for each in (np.rint(rows), integers))
    assert (found <= nearest).all()
    assert found.sum() * 2 < nearest.sum()


def test_another_step_is_taken_where_it_makes_the_error_less():
    rng = np.random.default_rng(2)
    walks = np.cumsum(rng.integers(-50, 50, size=(400, 9)), axis=1).astype("float64")
    rows = rng.uniform(-127, 127, size=(20, 9))
    moments = np.einsum("ri,rj->ij", walks, walks)[None]
    alone, (integers, factors) = closest_integers(rows, moments), closest_integers_and_steps(rows, moments)
    steps = factors[:, None]
    assert np.isin(integers - np.floor(rows / steps), (0, 1)).all()
    assert np.abs(integers).max() <= 127
    before, after = (np.square((rows - each) @ walks.T).sum(axis=1) for each in (alone, steps * integers))
    assert after.sum() * 2 < before.sum()


def test_a_filter_of_smooth_signals_gains(tmp_path):
    """Beyond what the nearest integers alone would cost, with everything else in float."""
    keras.utils.set_random_seed(1)
    signal = keras.Input((64, 1), name="x")
    taps = np.blackman(15)[:, None, None].astype("float32")
    filtered = layers.Conv1D(1, 15, use_bias=False, kernel_initializer=keras.initializers.Constant(taps))(signal)
    model = keras.Model(signal, layers.DepthwiseConv1D(5, depth_multiplier=2)(filtered))
    walks = np.cumsum(np.random.default_rng(0).normal(size=(60, 64, 1)), axis=1).astype("float32")
    bundle = kexport.build(
        model, tmp_path / "b", formats=("tflite",), precision=("float32", "int16x8"), samples={"x": walks}
    )
    found = [check.figure for check in bundle.report.checks if check.artifact == "model.int16x8.tflite"
             and check.kind == "parity"]  # fmt: skip
    truth = np.asarray(model(walks))
    for weights in (model.layers[1].kernel, model.layers[2].kernel):
        step = np.abs(weights).max(axis=(0, 1) if weights.shape[-1] == 1 else (0,), keepdims=True) / 127
        weights.assign(np.rint(weights / step) * step)
    noise = np.asarray(model(walks)) - truth
    nearest = 10 * np.log10(np.square(truth).sum() / np.square(noise).sum())
    assert min(found) > nearest


def test_a_file_that_cannot_be_run_is_left_as_it_is(tmp_path):
    x = keras.Input((8,), name="x")
    model = keras.Model(x, layers.Dense(4)(x))
    walks = np.cumsum(np.random.default_rng(0).normal(size=(60, 8)), axis=1).astype("float32")
    bundle = kexport.build(
        model, tmp_path / "b", formats=("tflite",), precision=("float32", "int16x8"), samples={"x": walks}
    )
    wide = list(of_tflite(tflite.parse((bundle.path / "model.tflite").read_bytes())))
    path = tmp_path / "model.tflite"
    for inputs, changed in ((walks[::-1, ::-1] ** 3, True), (walks[:, :7], False)):
        path.write_bytes((bundle.path / "model.int16x8.tflite").read_bytes())
        before = path.read_bytes()
        _weight_integers.round_adaptively(path, wide, iter([[inputs]]), iter(()), bundle.signature)
        assert (path.read_bytes() != before) == changed
