import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import EACH, assert_close

LENGTHS = np.array([9, 0, 5], "int32")


def _truth(best, blank, merge):
    rows = []
    for row, length in zip(best, LENGTHS, strict=True):
        labels = [c for i, c in enumerate(row[:length]) if not (merge and i and c == row[i - 1])]
        rows.append([c for c in labels if c != blank])
    return rows


@pytest.mark.parametrize("merge", [True, False])
@pytest.mark.parametrize("blank", [0, 2, -1])
def test_labels_are_what_remains_without_blanks_and_repetitions(converted, merge, blank):
    logits = np.random.default_rng(0).normal(size=(3, 9, 4)).astype("float32")
    logits = logits[:, np.arange(9) // 2]

    def decode(x, lengths):
        (sparse,), score = tf.nn.ctc_greedy_decoder(tf.transpose(x, (1, 0, 2)), lengths, merge, blank)
        return [sparse.indices, sparse.values, sparse.dense_shape, score]

    rows = _truth(logits.argmax(-1), blank % 4, merge)
    results, _ = converted(decode, "onnx", logits, LENGTHS)
    for indices, values, shape, score in results:
        np.testing.assert_array_equal(indices, [(i, j) for i, row in enumerate(rows) for j in range(len(row))])
        np.testing.assert_array_equal(values, [label for row in rows for label in row])
        np.testing.assert_array_equal(shape, [3, max(map(len, rows))])
        sums = [-logits[i, :n].max(-1).astype("float64").sum() for i, n in enumerate(LENGTHS)]
        assert_close(score[:, 0], sums, scale=EACH)
