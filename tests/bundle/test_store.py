import pytest

from kexport.bundle import store
from kexport.errors import UsageError


def bundle(path, text):
    path.mkdir()
    (path / "manifest.json").write_text(text)
    return path


def test_placing_exchanges_the_old_bundle_for_the_new(tmp_path):
    target = bundle(tmp_path / "b", "old")
    with store.staging(target) as folder:
        (folder / "manifest.json").write_text("new")
        assert (target / "manifest.json").read_text() == "old"
        store.place(folder, target)
    assert (target / "manifest.json").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_a_system_without_exchange_still_replaces(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "_exchange", lambda one, other: False)
    target = bundle(tmp_path / "b", "old")
    with store.staging(target) as folder:
        (folder / "manifest.json").write_text("new")
        store.place(folder, target)
    assert (target / "manifest.json").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_an_error_while_staging_leaves_the_old_bundle_and_nothing_else(tmp_path):
    target = bundle(tmp_path / "b", "old")
    with pytest.raises(ZeroDivisionError), store.staging(target):
        raise ZeroDivisionError
    assert (target / "manifest.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_a_second_build_is_kept_out_until_the_first_ends(tmp_path):
    target = tmp_path / "b"
    with store.staging(target), pytest.raises(UsageError, match="being built"), store.staging(target):
        pass
    with store.staging(target):
        pass
