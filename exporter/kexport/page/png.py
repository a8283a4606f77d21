"""Arrays as PNG images within a page (ISO/IEC 15948)."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np

from kexport.bundle.signature import Array

_COLOURS = {1: 0, 3: 2, 4: 6}  # the colour type for so many channels


def data_url(pixels: Array) -> str:
    """The URL that holds an image.

    Args:
        pixels: uint8 of shape `(height, width, channels)`, with 1, 3 or 4 channels.
    """
    height, width, channels = pixels.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)  # 0: not filtered
    header = struct.pack(">II", width, height) + bytes((8, _COLOURS[channels], 0, 0, 0))
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(kind, data)
        for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    )
    return "data:image/png;base64," + base64.b64encode(content).decode("ascii")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
