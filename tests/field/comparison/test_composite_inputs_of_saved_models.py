"""SavedModels that take ragged or sparse tensors, whose parts nobody can draw one by one."""

import pytest

import kexport


@pytest.mark.parametrize("kind", ["ragged", "sparse"])
def test_they_are_not_checked_by_the_names_of_their_parts(tmp_path, kind):
    import tensorflow as tf

    spec = tf.RaggedTensorSpec([None, None]) if kind == "ragged" else tf.SparseTensorSpec([None, 4])

    class Module(tf.Module):
        @tf.function(input_signature=[spec])
        def function(self, x):
            if kind == "ragged":
                return {"y": tf.reduce_sum(x, axis=1)}
            return {"y": tf.sparse.sparse_dense_matmul(x, tf.ones([4, 3]))}

    tf.saved_model.save(module := Module(), tmp_path / "m", signatures=module.function)
    report = kexport.compare(tmp_path / "m", tmp_path / "m", search="20")
    assert report.exit_code == 3
    assert f"of a {kind} tensor" in " ".join(str(fact) for check in report.checks for fact in check.facts)
