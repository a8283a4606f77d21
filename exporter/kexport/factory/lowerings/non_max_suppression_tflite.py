"""Non-maximum suppression in TFLite, whose operators fill up what they take, and take equal scores in any order.

Without sigma, only the order of the scores counts, and what was selected is cut to as many as there are. With one,
every box that is taken lowers the scores of the others, so it is a loop over what is taken.
Source: TensorFlow Lite's NON_MAX_SUPPRESSION_V4; TensorFlow's `NonMaxSuppressionV3`, `V4` and `V5`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kexport.factory.graph.protocols import Operation, Tensor
from kexport.factory.lowerings._hard_suppression import hard_suppression
from kexport.factory.lowerings._rule import Lowering
from kexport.factory.lowerings._soft_suppression import soft_suppression


def _hard(boxes: Tensor, scores: Tensor, most: Tensor, overlap: Tensor, lowest: Tensor | None) -> tuple[Tensor, Tensor]:
    """The places of the boxes that are taken, and how many they are; all those with a score above the lowest."""
    selected, taken = hard_suppression(boxes, scores, most, overlap, lowest)
    return selected[:taken], taken


def _emit(op: Operation, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
    import tensorflow as tf

    boxes, scores, most, overlap, *rest = inputs
    if op.type != "NonMaxSuppressionV5":
        selected, taken = _hard(boxes, scores, most, overlap, rest[0] if rest else None)
        return [selected, taken][: len(op.outputs)]
    if tf.get_static_value(rest[1]) == 0:
        selected, taken = _hard(boxes, scores, most, overlap, rest[0])
        return [selected, tf.gather(scores, selected), taken]
    return [*soft_suppression(boxes, scores, most, rest[0], rest[1])]


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
