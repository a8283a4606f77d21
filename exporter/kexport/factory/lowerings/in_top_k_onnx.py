"""Whether a class is among the k most probable ones, as in `in_top_k`, for ONNX, which lacks it too.

Source: as there.
"""

from __future__ import annotations

from kexport.factory.lowerings import in_top_k
from kexport.factory.lowerings._lowering import Lowering

LOWERING = Lowering("in_top_k_onnx", ("onnx",), ("InTopKV2",), in_top_k.LOWERING.emit)
