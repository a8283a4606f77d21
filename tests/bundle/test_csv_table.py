"""Every number of a table reaches the model as it is written, or the error names its line, column and value."""

import numpy as np
import pytest

from kexport.bundle.conversion import ChangedValueError, converted
from kexport.bundle.csv_table import read
from kexport.bundle.declared_domain import coerce
from kexport.bundle.signature import TensorSpec
from kexport.errors import InputError, UsageError


def rows(tmp_path, text, dtype="float32", width=None):
    (tmp_path / "x.csv").write_text(text)
    return read(tmp_path / "x.csv").rows_for(TensorSpec("x", dtype, (None, width)))


@pytest.mark.parametrize(
    ("dtype", "cell"),
    [("uint8", "300"), ("uint8", "-1"), ("uint8", "1.5"), ("int32", "1.7"), ("int32", "1e20"), ("int64", "1e20"),
     ("int64", "9223372036854775808"), ("int64", "9007199254740993.0"), ("bool", "2"), ("bool", "0.5"),
     ("float32", "1e39"), ("float16", "70000.0"), ("float32", "16777217"), ("float16", "2049"),
     ("float64", "9007199254740993"), ("bfloat16", "1e39")],
)  # fmt: skip
def test_a_number_that_the_input_cannot_represent_is_named_with_its_place(tmp_path, dtype, cell):
    with pytest.raises(InputError, match="line 4, column 2") as caught:
        rows(tmp_path, f"first,second\n1,0\n\n0,{cell}\n", dtype)
    assert caught.value.facts["got"] is not None
    assert f"{float(cell):.6g}"[:3] in f"{float(str(caught.value.facts['got'])):.6g}"


@pytest.mark.parametrize(
    ("dtype", "cells"),
    [("uint8", ["0", "255", "255.0", "2.55e2"]), ("int64", ["9223372036854775807", "-9223372036854775808"]),
     ("uint64", ["18446744073709551615", "0"]), ("bool", ["0", "1", "1.0"]), ("float32", ["16777216", "-3"]),
     ("float64", ["9007199254740992", "9007199254740994"]), ("int8", ["-128", "127"])],
)  # fmt: skip
def test_whole_numbers_arrive_digit_for_digit(tmp_path, dtype, cells):
    for text in (",".join(cells) + "\n", "\n".join(cells) + "\n"):
        values = rows(tmp_path, text, dtype)
        assert [int(value) for value in values.ravel()] == [
            int(cell) if "." not in cell else int(float(cell)) for cell in cells
        ]
        assert values.dtype == TensorSpec("x", dtype, (None,)).numpy_dtype


def test_fractions_are_rounded_as_the_dtype_rounds_them(tmp_path):
    values = rows(tmp_path, "0.1,-2.5e-3,16777217.0,1e-60\n")
    assert np.array_equal(values, np.array([[0.1, -2.5e-3, 16777217.0, 1e-60]], "float32"))
    assert np.signbit(rows(tmp_path, "-0,1\n")[0, 0])


def test_one_column_is_one_series_unless_a_sample_is_one_value(tmp_path):
    assert rows(tmp_path, "1\n2\n3\n").shape == (1, 3)
    assert rows(tmp_path, "1\n2\n3\n", width=1).shape == (3, 1)


@pytest.mark.parametrize(
    "titles", ["time,signal", "x,y", "# x,y", '"first axis","c (mV)"', "t [s],x(m)", "température,µV_1", "ch.1,ch.2"]
)
def test_a_first_line_of_words_is_a_line_of_titles(tmp_path, titles):
    (tmp_path / "x.csv").write_text(f"{titles}\n1,2\n", encoding="utf-8-sig")
    assert np.array_equal(read(tmp_path / "x.csv").values, [[1, 2]])


@pytest.mark.parametrize(
    "line",
    ["1;2", "1,5;2,5", "1\t2", "1 2", "1.x", "1O", "l.5", "-", "NA,NA", "nan", "null", "n/a", "", "1st", "+-3", "0x10",
     "1_000", "1,,2", "\u0661", "1e", "--", "a,a", "3 m", "1e400", "1" * 5000, "true,false", "#REF!,#DIV/0!", "<NA>",
     "NaT"],
)  # fmt: skip
def test_a_first_row_that_is_mistyped_is_not_dropped_as_titles(tmp_path, line):
    with pytest.raises(InputError, match="line 1, column"):
        rows(tmp_path, f'"{line}"\n1\n2\n' if line == "" else f"{line}\n1\n2\n")


def test_another_separator_is_named_in_the_hint(tmp_path):
    with pytest.raises(InputError, match="by commas"):
        rows(tmp_path, "time;signal\n1;2\n")


@pytest.mark.parametrize(
    ("values", "dtype"),
    [(np.array([[300]]), "uint8"), (np.array([[1.5]]), "int32"), (np.array([[1e39]]), "float32"),
     (np.array([[1 << 24 | 1]]), "float32"), (np.array([[np.iinfo("int64").max]]), "float64"),
     (np.array([[np.iinfo("uint64").max]], "uint64"), "float64"), (np.array([[-1]]), "uint64"),
     (np.array([[2]]), "bool"), (np.array([[1j]]), "float32"), (np.array([[np.nan]]), "int64"),
     (np.array([[2.0**63]]), "int64"), (np.array([["1"]]), "int64"), (np.array([[1]]), "string")],
)  # fmt: skip
def test_an_array_is_converted_by_the_same_rule(values, dtype):
    spec = TensorSpec("x", dtype, (None, 1))
    with pytest.raises(ChangedValueError):
        converted(values, spec)
    if values.dtype.kind != "U" and dtype != "string":
        with pytest.raises(UsageError, match="do not fit dtype"):
            coerce("x", values, spec)


@pytest.mark.parametrize(
    "dtype", ["int8", "uint16", "int32", "uint64", "float16", "float32", "float64", "complex64", "bool"]
)
def test_what_every_dtype_holds_is_converted_between_all_of_them(dtype):
    values = np.array([[0, 1]], dtype)
    for other in ("uint8", "int64", "float16", "float64", "bool", "complex128"):
        if np.dtype(dtype).kind != "c" or np.dtype(other).kind == "c":
            assert np.array_equal(converted(values, TensorSpec("x", other, (None, 2))), values.astype(other))


def test_a_file_that_would_fill_the_memory_is_not_read(tmp_path):
    with (tmp_path / "x.csv").open("w") as file:
        file.truncate(1 << 40)
    with pytest.raises(OSError, match="--max-bytes allows more"):
        read(tmp_path / "x.csv")
    (tmp_path / "x.csv").write_text("1,2\n")
    assert len(read(tmp_path / "x.csv", most=4).values) == 1
    with pytest.raises(OSError, match="4 bytes, where at most 3 are expected"):
        read(tmp_path / "x.csv", most=3)
