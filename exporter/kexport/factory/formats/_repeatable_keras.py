"""A `.keras` file without what tells one save from the next: dates, permissions, and addresses of shared objects."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date that an archive can hold
_PERMISSIONS = 0o600 << 16  # those of members that Keras writes without a temporary file
_SHARED = "shared_object_id"


def make_repeatable(path: Path) -> None:
    """Write the archive anew, each member with the same date and permissions, in the order that it has."""
    plain = path.with_name(path.name + ".plain")
    with zipfile.ZipFile(path) as dated, zipfile.ZipFile(plain, "w") as archive:
        for member in dated.infolist():
            entry = zipfile.ZipInfo(member.filename, _EPOCH)
            entry.compress_type, entry.external_attr = member.compress_type, _PERMISSIONS
            if member.filename in _PLAIN:
                archive.writestr(entry, json.dumps(_PLAIN[member.filename](dated.read(member))))
                continue
            entry.file_size = member.file_size  # from which follows whether a large one needs a longer header
            with dated.open(member) as content, archive.open(entry, "w") as copy:
                shutil.copyfileobj(content, copy, 1 << 20)
    plain.replace(path)


def _without_date(text: bytes) -> object:
    return {key: value for key, value in json.loads(text).items() if key != "date_saved"}


def _numbered(text: bytes) -> object:
    """The configuration with numbers for objects that occur several times: Keras writes their addresses."""
    numbers: dict[object, int] = {}

    def number(entry: dict[str, object]) -> dict[str, object]:
        if isinstance(entry.get(_SHARED), int):
            entry[_SHARED] = numbers.setdefault(entry[_SHARED], len(numbers) + 1)
        return entry

    return json.loads(text, object_hook=number)


_PLAIN = {"metadata.json": _without_date, "config.json": _numbered}
