from kexport.bundle.naming import unique


def test_a_second_of_a_name_gets_a_number():
    assert unique(["y", "y", "y"]) == ["y", "y_1", "y_2"]
    assert unique(["x"], taken=["x"]) == ["x_1"]


def test_characters_that_a_format_cannot_carry_are_replaced():
    assert unique(["a b", "a/b", "1st", "é:0"]) == ["a_b", "a_b_1", "t1st", "t__0"]
