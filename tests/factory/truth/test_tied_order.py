"""Operations that take equal scores in any order: noise shows that their result is one of several."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kexport
from kexport.factory.truth.operation_noise import in_every_operation


def suppressed(boxes, scores, **options):
    return tf.image.combined_non_max_suppression(boxes, scores, 9, 12, 0.5, 0.1, clip_boxes=False, **options)


def apart(count, boxes_of_class=1):
    """Boxes that overlap no other."""
    corners = np.arange(count * boxes_of_class, dtype="float32").reshape(1, count, boxes_of_class, 1)
    return np.concatenate([corners, corners, corners + 0.9, corners + 0.9], -1)


@pytest.mark.parametrize("boxes_of_class", [1, 4])
@pytest.mark.parametrize("function", [suppressed, tf.function(suppressed)])
def test_of_equal_scores_any_may_be_taken(boxes_of_class, function):
    boxes, scores = apart(6, boxes_of_class), np.full((1, 6, 4), 0.5, "float32")
    drawn = []
    for draw in range(4):
        with in_every_operation(np.random.default_rng(draw), draw):
            kept = function(boxes, scores)
        drawn.append(kept.nmsed_classes.numpy().tobytes() + kept.nmsed_boxes.numpy().tobytes())
        np.testing.assert_array_equal(kept.nmsed_scores, suppressed(boxes, scores).nmsed_scores)
        for box, named in zip(kept.nmsed_boxes[0].numpy(), kept.nmsed_classes[0].numpy(), strict=True):
            assert box.tolist() in boxes[0, :, int(named) if boxes_of_class > 1 else 0].tolist()
    assert len(set(drawn)) > 1


def test_without_equal_scores_nothing_moves():
    boxes = apart(6)
    scores = np.random.default_rng(0).permutation(24).reshape(1, 6, 4).astype("float32") / 24
    for pad_per_class in (False, True):
        wanted = suppressed(boxes, scores, pad_per_class=pad_per_class)
        with in_every_operation(np.random.default_rng(0), 0):
            kept = suppressed(boxes, scores, pad_per_class=pad_per_class)
        for value, other in zip(kept, wanted, strict=True):
            np.testing.assert_array_equal(value, other)


@keras.saving.register_keras_serializable("tests")
class Detect(keras.layers.Layer):
    """The best of twelve boxes that overlap no other, of four classes."""

    def call(self, scores):
        kept = suppressed(tf.tile(apart(12) / 12, [tf.shape(scores)[0], 1, 1, 1]), scores)
        return kept.nmsed_boxes, kept.nmsed_scores, kept.nmsed_classes

    def compute_output_spec(self, scores):
        batch = scores.shape[0]
        return tuple(keras.KerasTensor(shape) for shape in [(batch, 12, 4), (batch, 12), (batch, 12)])


def test_a_detector_whose_scores_are_equal_for_zeros_passes(tmp_path):
    keras.utils.set_random_seed(0)
    features = keras.Input((6,), name="features")
    scores = keras.layers.Reshape((12, 4))(keras.layers.Dense(48, activation="hard_sigmoid")(features))
    model = keras.Model(features, Detect()(scores))
    domain = {"features": "uniform(0, 1)"}
    assert kexport.build(model, tmp_path / "bundle", formats=["onnx", "tflite"], domain=domain).passed
