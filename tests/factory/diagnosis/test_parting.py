"""Two records of one call part at the line to blame."""

from kexport.factory.diagnosis.comparisons import in_both_calls
from kexport.factory.diagnosis.steps import mutation, parting, recording


def watched(function, *arguments):
    with recording() as steps:
        function(*arguments)
    return steps


def steps_of(values, chosen):
    def work(x):
        y = 2 * x
        z = y + values
        if chosen:
            z = -z
        return z

    return watched(work, 3)


def test_the_first_line_that_gives_another_value_is_named_with_the_name():
    parted = parting(steps_of(1, chosen=False), steps_of(2, chosen=False), in_both_calls)
    assert (parted.place.text, parted.names, parted.branched) == ("z = y + values", ("z",), False)


def test_the_condition_is_named_where_another_way_is_taken():
    parted = parting(steps_of(1, chosen=False), steps_of(1, chosen=True), in_both_calls)
    assert (parted.place.text, parted.branched) == ("if chosen:", True)


def test_equal_records_do_not_part():
    assert parting(steps_of(1, chosen=True), steps_of(1, chosen=True), in_both_calls) is None


def test_a_list_among_the_arguments_that_grows_is_a_mutation():
    def work(seen):
        y = 1
        seen.append(y)
        return y

    place, name = mutation(watched(work, []))
    assert (place.text, name) == ("seen.append(y)", "seen")
