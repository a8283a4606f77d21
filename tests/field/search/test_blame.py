"""Which side of a failed comparison is wrong: the one that fewer formats agree with."""

from peers import Peer, target

from kexport.field.search.blame import agreeing_formats, blamed, blamed_of

ONE, OTHER, THIRD = (Peer(name, None) for name in ("onnx", "tflite", "saved_model"))


def compared(one, other, *, fails):
    of = target(one, other)
    of.state.evaluations = 1
    if fails:
        of.fail(["they differ"])
    return of


def test_a_third_format_that_agrees_with_one_side_speaks_against_the_other():
    targets = [
        compared(ONE, OTHER, fails=True),
        compared(ONE, THIRD, fails=True),
        compared(OTHER, THIRD, fails=False),
    ]
    assert blamed_of(targets[0], targets) == [ONE]
    assert blamed(ONE, targets) == targets[:2]
    assert not blamed(OTHER, targets)


def test_without_a_third_format_both_are_blamed():
    targets = [compared(ONE, OTHER, fails=True)]
    assert blamed_of(targets[0], targets) == [ONE, OTHER]


def test_more_formats_that_differ_than_agree_speak_against_a_runtime_too():
    keras = Peer("keras", None)
    targets = [
        compared(ONE, OTHER, fails=False),
        compared(ONE, THIRD, fails=True),
        compared(ONE, keras, fails=True),
    ]
    assert blamed(ONE, targets) == targets[1:]
    assert blamed_of(targets[1], targets) == [ONE, THIRD]
    assert not blamed(ONE, targets[:2])


def test_a_runtime_that_failed_on_the_goldens_is_the_wrong_one_whoever_agrees_with_it():
    doubted = Peer("onnx", None, has_failed=True)
    targets = [compared(doubted, OTHER, fails=True), compared(doubted, THIRD, fails=False)]
    assert agreeing_formats(doubted, targets) == -1
    assert blamed_of(targets[0], targets) == [doubted]


def test_a_runtime_that_raised_is_the_wrong_one():
    of = target(ONE, OTHER)
    of.fail(["it raised"], OTHER)
    assert blamed_of(of, [of]) == [OTHER]
