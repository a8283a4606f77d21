"""Weights of int16x8 that are rounded for the inputs of the calibration."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import kexport
from kexport.factory.formats import _weight_integers
from kexport.factory.formats._calibration_runs import CalibrationRuns, spread
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


def test_all_errors_of_a_row_are_half_a_step_for_each_weight_at_most():
    """Here one input is so much larger that many weights, which hardly need rounding, would go to its help."""
    rows = np.array([[*[0.02] * 12, 0.45], [*[0.3] * 12, 0.1]])
    sizes = np.array([*[1.0] * 12, 20.0])
    moments = np.outer(sizes, sizes)[None]
    alone, (integers, factors) = closest_integers(rows, moments), closest_integers_and_steps(rows, moments)
    for found in (alone, integers * factors[:, None]):
        moved = rows - found
        assert np.abs(moved).mean(axis=1).max() <= 0.5
    np.testing.assert_array_equal(alone[0], np.rint(rows[0]))
    assert (alone[1] != np.rint(rows[1])).any()


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


@pytest.fixture(scope="module")
def dense(tmp_path_factory):
    """A bundle of a dense layer, half of whose weights are zeros, and what it was calibrated on."""
    x = keras.Input((8,), name="x")
    model = keras.Model(x, layers.Dense(4)(x))
    kernel = np.random.default_rng(2).normal(size=(8, 4)) * (np.arange(32).reshape(8, 4) % 2)
    model.layers[1].kernel.assign(kernel)
    walks = np.cumsum(np.random.default_rng(0).normal(size=(60, 8)), axis=1).astype("float32")
    bundle = kexport.build(
        model, tmp_path_factory.mktemp("dense") / "b", formats=("tflite",), precision=("float32", "int16x8"),
        samples={"x": walks},
    )  # fmt: skip
    return bundle, walks


def _rounded_again(bundle, path, inputs):
    """Whether a copy of the artifact at `path` changes when it is rounded for these inputs."""
    wide = bundle.path / "model.tflite"
    known = list(of_tflite(tflite.parse(wide.read_bytes())))
    path.write_bytes((bundle.path / "model.int16x8.tflite").read_bytes())
    before = path.read_bytes()
    runs = [
        CalibrationRuns(lambda: iter([[inputs]]), bundle.signature),
        CalibrationRuns(lambda: iter(()), bundle.signature),
    ]
    _weight_integers.round_adaptively(path, wide, known, *runs)
    return path.read_bytes() != before


def _kernel(path):
    return next(each.real for each in of_tflite(tflite.parse(path.read_bytes())) if each.real.shape == (4, 8))


def test_a_file_that_cannot_be_run_is_left_as_it_is(dense, tmp_path):
    bundle, walks = dense
    assert _rounded_again(bundle, tmp_path / "model.tflite", walks[:, ::-1] / 4)
    assert not _rounded_again(bundle, tmp_path / "model.tflite", walks[:, :7])


def test_weights_that_need_no_rounding_stay(dense, tmp_path):
    bundle, walks = dense
    assert _rounded_again(bundle, tmp_path / "model.tflite", walks[:, ::-1] / 4)
    assert (_kernel(bundle.path / "model.tflite") == 0).sum() == 16
    for path in (bundle.path / "model.int16x8.tflite", tmp_path / "model.tflite"):
        assert (_kernel(path)[_kernel(bundle.path / "model.tflite") == 0] == 0).all()


def test_what_makes_an_output_noisier_is_undone(dense, tmp_path, monkeypatch):
    bundle, walks = dense
    monkeypatch.setattr(
        _weight_integers, "closest_integers_and_steps", lambda rows, moments: (np.floor(rows), np.ones(len(rows)))
    )
    assert not _rounded_again(bundle, tmp_path / "model.tflite", walks)


def test_few_rows_that_also_check_are_not_fitted(tmp_path):
    """Weights that are fitted to the rows which judge them look better than they are."""
    x = keras.Input((8,), name="x")
    model = keras.Model(x, layers.Dense(4)(x))
    walks = np.cumsum(np.random.default_rng(0).normal(size=(4, 8)), axis=1).astype("float32")
    bundle = kexport.build(
        model, tmp_path / "b", formats=("tflite",), precision=("float32", "int16x8"), samples={"x": walks}
    )
    small = next(each for each in of_tflite(tflite.parse((bundle.path / "model.int16x8.tflite").read_bytes()))
                 if each.real.shape == (4, 8))  # fmt: skip
    nearest = np.rint(_kernel(bundle.path / "model.tflite") / small.step)
    np.testing.assert_array_equal(np.rint(small.real / small.step), nearest)
    notes = [str(note) for note in bundle.report.notes]
    assert not any("none is outside" in note for note in notes)
    assert any("too few to hold some of them back" in note for note in notes)


@pytest.mark.parametrize(("count", "most"), [(1, 9), (4096, 100), (5, 5), (3000, 4000)])
def test_places_are_spread_over_all_and_each_is_taken_once(count, most):
    places = spread(count, most)
    assert len({*places.tolist()}) == len(places) == min(count, most)
    assert np.isin(places, np.arange(count)).all()
    if (count, most) == (4096, 100):  # of a picture of 64 x 64, all over both of its axes
        for along in (places // 64, places % 64):
            assert np.ptp(along) > 56
            assert len({*along.tolist()}) > 40


def test_calls_are_spread_over_a_long_calibration(dense):
    made = CalibrationRuns(lambda: iter([[np.zeros((1, 8), "float32")]] * 500), dense[0].signature)
    runs = list(made.of(dense[0].path / "model.int16x8.tflite", reference=True))
    assert len(runs) == 128
    assert_close(sum(run.share for run in runs), 1.0)
    assert max(made._sizes) > 490
    few = CalibrationRuns(lambda: iter([[np.zeros((2, 8), "float32")]] * 500), dense[0].signature, samples=64)
    assert 60 <= sum(few._sizes.values()) <= 64
    assert max(few._sizes) > 480
