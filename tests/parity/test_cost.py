"""What a build records of a search follows from the model alone: small models are tried more than large ones."""

from kexport.bundle.signature import Signature, TensorSpec
from kexport.parity.budget import Budget
from kexport.parity.cost import evaluations_a_second, turns_told


def signature(*shape):
    return Signature((TensorSpec("x", "float32", shape),), (TensorSpec("y", "float32", (shape[0], 3)),))


SMALL, IMAGE, ALONE = signature(None, 12), signature(None, 224, 224, 3), signature(2, 12)


def test_larger_models_get_fewer_turns_and_evaluations():
    assert turns_told(10_000, SMALL) > turns_told(100_000_000, IMAGE) >= 1
    assert evaluations_a_second(10_000, SMALL) > evaluations_a_second(14_000_000, IMAGE) >= 1


def test_where_samples_cannot_form_a_batch_fewer_are_tried():
    assert turns_told(10_000, ALONE) < turns_told(10_000, SMALL)
    assert evaluations_a_second(10_000, ALONE) < evaluations_a_second(10_000, SMALL)


def test_a_time_becomes_a_number_of_evaluations_and_a_number_stays():
    assert Budget.parse("2s", 7).counted(50.0) == Budget(evaluations=100, seed=7)
    assert Budget.parse("0.001s").counted(50.0) == Budget(evaluations=1)
    assert Budget.parse("30").counted(50.0) == Budget(evaluations=30)
    assert Budget.parse("30,2s").counted(50.0) == Budget(evaluations=30)
    assert Budget.parse("300,2s").counted(50.0) == Budget(evaluations=100)
