"""Non-maximum suppression in TFLite, whose operators fill what they select up: cut to as many as there are.

Source: TensorFlow Lite's NON_MAX_SUPPRESSION_V4 and V5, and TensorFlow's `NonMaxSuppressionV3`, `V4` and `V5`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._rule import Lowering


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    boxes, scores, most, overlap, *rest = inputs
    if op.type == "NonMaxSuppressionV5":
        selected, kept, count = tf.raw_ops.NonMaxSuppressionV5(
            boxes=boxes, scores=scores, max_output_size=most, iou_threshold=overlap, score_threshold=rest[0],
            soft_nms_sigma=rest[1], pad_to_max_output_size=True,
        )  # fmt: skip
        return [selected[:count], kept[:count], count]
    lowest = rest[0] if rest else tf.constant(float("-inf"), scores.dtype)
    selected, count = tf.raw_ops.NonMaxSuppressionV4(
        boxes=boxes, scores=scores, max_output_size=most, iou_threshold=overlap, score_threshold=lowest,
        pad_to_max_output_size=True,
    )  # fmt: skip
    return [selected[:count], count][: len(op.outputs)]


def _applies(op: Operation, inputs: Sequence[Tensor]) -> bool:
    padded = op.type in ("NonMaxSuppressionV4", "NonMaxSuppressionV5") and op.get_attr("pad_to_max_output_size")
    return not padded and inputs[0].dtype.name == "float32"


LOWERING = Lowering(
    "non_max_suppression_tflite",
    ("tflite",),
    ("NonMaxSuppressionV2", "NonMaxSuppressionV3", "NonMaxSuppressionV4", "NonMaxSuppressionV5"),
    _emit,
    _applies,
)
