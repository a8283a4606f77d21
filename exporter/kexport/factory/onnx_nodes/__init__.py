"""Additions to tf2onnx' mapping: nodes carried through TensorFlow's graph, handlers, and corrections.

Attributes:
    HANDLERS: handlers that are added to tf2onnx' own, or replace them, by type of operation.
"""

from __future__ import annotations

from kexport.factory.onnx_nodes import carrier, comparison, text_case, where
from kexport.factory.onnx_nodes.bfloat16 import mapped_bfloat16
from kexport.factory.onnx_nodes.carrier import note_of, onnx_node
from kexport.factory.onnx_nodes.handler import Handler
from kexport.factory.onnx_nodes.merges import sound_merges
from kexport.factory.onnx_nodes.ragged_rows import divisible_ragged_rows

__all__ = ["HANDLERS", "divisible_ragged_rows", "mapped_bfloat16", "note_of", "onnx_node", "sound_merges"]

HANDLERS: dict[str, tuple[Handler, list[object]]] = {
    carrier.CARRIER: (carrier.place, []),
    **{kind: (where.place, []) for kind in where.KINDS},
    **{kind: (comparison.place, []) for kind in comparison.KINDS},
    **{kind: (text_case.place, []) for kind in text_case.KINDS},
}
