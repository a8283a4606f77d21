import examples


def test_probabilities_are_a_simplex_in_every_runtime(tmp_path):
    done = examples.run("simplex_digits.py", tmp_path)
    assert "sums_to" in examples.kept(done)
    assert done.text.count("97.") == len(examples.RUNTIMES)


def test_logits_in_place_of_probabilities_are_found_where_parity_and_accuracy_see_nothing(tmp_path):
    done = examples.run("simplex_digits.py", tmp_path, "--break", "--formats", "onnx,tflite")
    assert "sums_to" in examples.broken(done, "probabilities")
    assert done.text.count("97.") == 3
