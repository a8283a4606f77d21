"""Changes of bytes, whatever they mean."""

from __future__ import annotations

from random import Random

Edited = tuple[str, bytes]
_WORDS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFC)


def flip(content: bytes, rng: Random) -> Edited:
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 4, 32))):
        place = rng.randrange(len(changed))
        changed[place] ^= 1 << rng.randrange(8)
    return "flip bits", bytes(changed)


def truncate(content: bytes, rng: Random) -> Edited:
    return "cut off the end", content[: rng.randrange(len(content))]


def insert(content: bytes, rng: Random) -> Edited:
    place = rng.randrange(len(content) + 1)
    block = rng.choice((b"\0", b"\xff" * 8, b"\n", bytes(rng.randrange(256) for _ in range(16)), content[:64]))
    return "insert bytes", content[:place] + block + content[place:]


def drop(content: bytes, rng: Random) -> Edited:
    place = rng.randrange(len(content))
    return "drop bytes", content[:place] + content[place + rng.choice((1, 4, 16, 256)) :]


def swap(content: bytes, rng: Random) -> Edited:
    one, other = sorted(rng.randrange(len(content)) for _ in range(2))
    size = min(rng.choice((1, 4, 64)), other - one, len(content) - other)
    a, b = content[one : one + size], content[other : other + size]
    return "swap blocks", content[:one] + b + content[one + size : other] + a + content[other + size :]


def fill(content: bytes, rng: Random) -> Edited:
    place, size = rng.randrange(len(content)), rng.choice((1, 4, 8, 64, 512))
    block = content[place : place + size]
    return "fill a block", content[:place] + bytes([rng.choice((0, 0xFF, 0x41))]) * len(block) + content[place + size :]


def word(content: bytes, rng: Random) -> Edited:
    place = rng.randrange(max(1, len(content) // 4)) * 4
    value = rng.choice((*_WORDS, len(content), len(content) - place, rng.getrandbits(32)))
    return "another 32-bit word", content[:place] + (value & 0xFFFFFFFF).to_bytes(4, "little") + content[place + 4 :]


def nothing(content: bytes, rng: Random) -> Edited:
    return "an empty file", b""


EVERY = (flip, flip, truncate, insert, drop, swap, fill, word, word)


def edit(content: bytes, rng: Random) -> Edited:
    """One change at a place drawn at random."""
    if not content or rng.random() < 0.01:
        return nothing(content, rng)
    return rng.choice(EVERY)(content, rng)
