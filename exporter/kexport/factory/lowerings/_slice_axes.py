"""What a strided slice does to each axis of its input: an ellipsis written out, new axes set apart.

Source: https://www.tensorflow.org/api_docs/python/tf/raw_ops/StridedSlice
"""

from __future__ import annotations

from dataclasses import dataclass

from kexport.factory.graph.protocols import Operation


@dataclass(frozen=True)
class SliceAxis:
    """What happens to an axis of the input.

    Attributes:
        at: the place of its begin, end and stride among the bounds; None where all of it is taken.
        begin_open: whether it begins at the first element, whatever its begin is.
        end_open: whether it ends with the last one.
        shrinks: whether one element is taken, and the axis left out.
    """

    at: int | None
    begin_open: bool = True
    end_open: bool = True
    shrinks: bool = False


def written_out(op: Operation, rank: int, count: int) -> tuple[list[SliceAxis], list[int]]:
    """One entry for each axis of the input that has bounds or is in an ellipsis, and the positions of new axes.

    Args:
        op: the slice.
        rank: that of its input.
        count: how many bounds it has.
    """
    new, ellipsis, shrink = (op.get_attr(f"{kind}_mask") for kind in ("new_axis", "ellipsis", "shrink_axis"))
    begin, end = op.get_attr("begin_mask"), op.get_attr("end_mask")
    axes: list[SliceAxis] = []
    added: list[int] = []
    for at in range(count):
        bit = 1 << at
        if ellipsis & bit:
            later = sum(not new & (1 << i) for i in range(at + 1, count))
            axes += [SliceAxis(None)] * (rank - later - len(axes))
        elif new & bit:
            added.append(len(added) + sum(not axis.shrinks for axis in axes))
        else:
            axes.append(SliceAxis(at, bool(begin & bit), bool(end & bit), bool(shrink & bit)))
    return axes, added
