import json

import numpy as np
import pytest

from kexport.bundle.packed_arrays import chunks, described, unpacked

ARRAYS = [
    np.arange(6, dtype="float32").reshape(2, 3),
    np.array(2.5),
    np.zeros((0, 4), "int8"),
    np.array([["a", "\u00e9\u00e9"]]),
    np.array(["", ""]),
    np.array([True, False]),
    np.arange(12, dtype="int64").reshape(3, 4).T[::2],
]


def test_arrays_come_back_as_they_were():
    content = bytearray(b"".join(chunks(ARRAYS)))
    back = unpacked(json.loads(json.dumps(described(ARRAYS))), content)
    assert [(a.dtype, a.shape, a.tolist()) for a in back] == [(a.dtype, a.shape, a.tolist()) for a in ARRAYS]
    assert all(a.flags.writeable for a in back)


@pytest.mark.parametrize(
    "description",
    [
        [],
        [{"dtype": "<f4", "shape": [3]}],
        [{"dtype": "<f4", "shape": [-1]}],
        [{"dtype": "O", "shape": [1]}],
        [{"dtype": "f4,,", "shape": [2]}],
        [{"dtype": "<f4"}],
        [{"dtype": "<f4", "shape": [10**30]}],
        {"dtype": "<f4"},
        None,
    ],
)
def test_what_does_not_fit_its_bytes_is_refused(description):
    with pytest.raises((TypeError, ValueError, KeyError)):
        unpacked(description, bytearray(8))
