import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close


def drawn(boxes_of_class, batch=2, boxes=9, classes=3):
    rng = np.random.default_rng(3)
    corners = rng.uniform(-0.2, 0.9, (batch, boxes, boxes_of_class, 2))
    sizes = rng.uniform(0.1, 0.6, corners.shape)
    scores = rng.permutation(batch * boxes * classes).reshape(batch, boxes, classes) / (batch * boxes * classes)
    return np.concatenate([corners, corners + sizes], -1).astype("float32"), scores.astype("float32")


@pytest.mark.parametrize("boxes_of_class", [1, 3])
@pytest.mark.parametrize(("per_class", "total"), [(4, 7), (20, 40), (2, 100), (3, 2)])
@pytest.mark.parametrize(("pad_per_class", "clip_boxes"), [(False, True), (True, False)])
def test_the_best_boxes_of_all_classes_are_kept(converted, boxes_of_class, per_class, total, pad_per_class, clip_boxes):
    boxes, scores = drawn(boxes_of_class)

    def kept(boxes, scores):
        return tf.image.combined_non_max_suppression(
            boxes, scores, per_class, total, 0.3, 0.2, pad_per_class=pad_per_class, clip_boxes=clip_boxes
        )

    for results in converted(kept, "tflite", boxes, scores)[0]:
        for value, wanted in zip(results, kept(boxes, scores), strict=True):
            assert_close(value, wanted)


@pytest.mark.parametrize("case", ["nothing above the threshold", "one class saturated", "turned corners"])
def test_edges(converted, case):
    boxes, scores = drawn(1)
    if case == "nothing above the threshold":
        scores = np.zeros_like(scores)
    elif case == "one class saturated":
        scores[..., 1] = 1.0
        boxes = boxes + np.arange(9, dtype="float32")[None, :, None, None]  # apart, so that all of them are taken
    else:
        boxes = boxes[..., [2, 1, 0, 3]]

    def kept(boxes, scores):
        return tf.image.combined_non_max_suppression(boxes, scores, 9, 30, 0.5, 0.1, clip_boxes=False)

    wanted = [np.array(value) for value in kept(boxes, scores)]
    for results in converted(kept, "tflite", boxes, scores, dynamic=True)[0]:
        np.testing.assert_array_equal(results[3], wanted[3])
        for value, other in zip(results[1:3], wanted[1:3], strict=True):
            assert_close(value, other)
        if case != "one class saturated":  # whose boxes TensorFlow takes in an order of its heap's
            assert_close(results[0], wanted[0])
