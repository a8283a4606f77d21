"""Changes of a zip archive: its members, what it says of them, and their contents."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from random import Random

from mutation_cases import _bytes
from mutation_cases._bytes import Edited

Members = dict[str, bytes]
Inside = Callable[[str, bytes, Random], Edited]
_CENTRAL, _LOCAL, _END = b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"
#: Fields of a member's entry in the directory: name, offset, size. APPNOTE.TXT of PKWARE, 4.3.12.
_FIELDS = (
    ("version", 6, 2), ("flags", 8, 2), ("method", 10, 2), ("date", 14, 2), ("checksum", 16, 4), ("compressed size",
    20, 4),
    ("size", 24, 4), ("length of the name", 28, 2), ("length of the extra field", 30, 2), ("disk", 34, 2),
    ("attributes", 38, 4), ("offset", 42, 4),
)  # fmt: skip
_MOST = 1 << 26  # bytes of all members
_NAMES = (
    "../../watched/member.npy", "/watch.npy", "a\0b", "\ud800".encode("utf-8", "surrogatepass").decode("latin1"),
    "x" * 60_000, "",
    ".", "..", "C:\\x", "a/" * 1000, "con", "\x1b[31m",
)  # fmt: skip


def members(content: bytes) -> Members:
    """The content of each member, unless an earlier change made it a bomb."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > _MOST:
            raise ValueError(f"more than {_MOST} bytes")
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}


def archive(parts: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of these members, in which a name may be there twice."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as written:
        for name, content in parts:
            info = zipfile.ZipInfo(name or "empty", (1980, 1, 1, 0, 0, 0))
            info.compress_type = method
            written.writestr(info, content)
    return stream.getvalue()


def _field(content: bytes, rng: Random) -> Edited:
    entries = [i for i in range(len(content) - 46) if content.startswith(_CENTRAL, i)]
    if not entries:
        return _bytes.edit(content, rng)
    name, offset, size = rng.choice(_FIELDS)
    place = rng.choice(entries) + offset
    old = int.from_bytes(content[place : place + size], "little")
    new = rng.choice(
        (0, 1, old + 1, old - 1, old * 1000, 2**31 - 1, 2**32 - 1, 1 << rng.randrange(16), rng.getrandbits(16))
    )
    changed = (new % 256**size).to_bytes(size, "little")
    return f"{name} of a member", content[:place] + changed + content[place + size :]


def _encrypted(content: bytes, rng: Random) -> Edited:
    changed = bytearray(content)
    for place in range(len(content) - 30):
        for mark, offset in ((_CENTRAL, 8), (_LOCAL, 6)):
            if content.startswith(mark, place):
                changed[place + offset] |= rng.choice((1, 0x41, 0x21))
    return "members that say they are encrypted", bytes(changed)


def _end(content: bytes, rng: Random) -> Edited:
    place = content.rfind(_END)
    if place < 0:
        return _bytes.edit(content, rng)
    name, offset, size = rng.choice(
        (("number of members", 10, 2), ("size", 12, 4), ("offset", 16, 4), ("comment", 20, 2))
    )
    value = rng.choice((0, 1, 0xFFFF, 0xFFFFFFFF, rng.getrandbits(16))) % 256**size
    start = place + offset
    return f"{name} of the directory", content[:start] + value.to_bytes(size, "little") + content[start + size :]


def _bomb(name: str, rng: Random) -> Edited:
    size = rng.choice((50_000_000, 300_000_000))
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({size},)}}\n".encode()
    body = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
    return f"{size} zeros in {name[:20]}", archive([(name, body + bytes(size))])


def _other_members(parts: Members, rng: Random) -> Edited:
    name = rng.choice(list(parts))
    how = rng.choice(("remove", "rename", "repeat", "add", "link", "none", "many"))
    listed = list(parts.items())
    if how == "remove":
        listed = [each for each in listed if each[0] != name]
    elif how == "rename":
        listed = [(rng.choice((*_NAMES, name.upper(), name + "_")) if each == name else each, c) for each, c in listed]
    elif how == "repeat":
        listed.append((name, rng.choice((parts[name], b"", rng.choice(list(parts.values()))))))
    elif how == "add":
        listed.append((rng.choice(_NAMES), b"x" * 100))
    elif how == "none":
        listed = []
    elif how == "many":
        listed += [(f"{index}.npy", b"") for index in range(5000)]
    content = archive(
        listed, rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    )
    if how == "link":
        place = content.rfind(_CENTRAL)
        content = content[: place + 38] + (0o120777 << 16).to_bytes(4, "little") + content[place + 42 :]
    return f"{how} {name[:30]}", content


def edit(content: bytes, rng: Random, inside: Inside) -> Edited:
    """One change of the archive, or `inside` of one of its members, whose checksums are then right."""
    kind = rng.random()
    try:
        parts = members(content)
    except Exception:  # noqa: BLE001  it is damaged already
        return _bytes.edit(content, rng)
    if kind < 0.12 or not parts:
        return _bytes.edit(content, rng)
    if kind < 0.27:
        return rng.choice((_field, _field, _field, _encrypted, _end))(content, rng)
    if kind < 0.275:
        return _bomb(rng.choice(list(parts)), rng)
    if kind < 0.35:
        return _other_members(parts, rng)
    name = rng.choice(list(parts))
    what, changed = inside(name, parts[name], rng)
    method = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    return f"{name[:40]}: {what}", archive(
        [(each, changed if each == name else c) for each, c in parts.items()], method
    )
