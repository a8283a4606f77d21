"""Places in user code: shown as the user knows them, and found in tracebacks."""

from pathlib import Path

from kexport.code_places import CodePlace, is_user_code, raised_at, shown


def test_a_file_below_the_current_folder_is_shown_relative_to_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shown(str(tmp_path / "models" / "net.py")) == str(Path("models") / "net.py")
    assert shown(str(tmp_path.parent / "net.py")) == "net.py"


def test_code_of_python_of_packages_and_of_kexport_is_not_the_users():
    import json

    import numpy

    from kexport import errors

    assert not any(is_user_code(module.__file__) for module in (json, numpy, errors))
    assert is_user_code(__file__)


def test_a_statement_over_several_lines_is_quoted_whole(tmp_path):
    (tmp_path / "net.py").write_text("a = f(\n    1,\n    2)\n")
    assert CodePlace(str(tmp_path / "net.py"), 1).text == "a = f(1, 2)"


def test_the_innermost_line_of_user_code_is_where_an_exception_was_raised():
    def inner():
        return int("x")

    try:
        inner()
    except ValueError as error:
        place = raised_at(error)
    assert place.text == 'return int("x")'
