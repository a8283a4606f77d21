"""Writing a page: whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from kexport.errors import UsageError
from kexport.page.document import PageSubject, page


def require_writable(path: str) -> None:
    """Check before the work that a page can be written, and leave what is there as it is.

    Raises:
        UsageError: it cannot.
    """
    try:
        if not path:
            raise ValueError("an empty name")
        if Path(path).is_dir():
            raise ValueError("it is a folder")
        if _is_special(path):
            return  # opening a pipe would wait for a reader
        descriptor, probe = tempfile.mkstemp(dir=_folder(path), prefix=".kexport-")
        os.close(descriptor)
        Path(probe).unlink()
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from None


def write(subject: PageSubject, path: str) -> int:
    """Write a page, in place of a file at the path in one step, or into a device or pipe; returns its size in bytes.

    Raises:
        UsageError: it cannot be written.
    """
    content = page(subject).encode("utf-8", "replace")
    temporary = None
    try:
        if _is_special(path):
            Path(path).write_bytes(content)
            return len(content)
        descriptor, temporary = tempfile.mkstemp(dir=_folder(path), prefix=".kexport-", suffix=".html")
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(os.path.realpath(path))  # what a link leads to, so that the link stays
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from None
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
    return len(content)


def _folder(path: str) -> Path:
    return Path(os.path.realpath(path)).parent


def _is_special(path: str) -> bool:
    return Path(path).exists() and not Path(path).is_file()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _unwritable(path: str, error: OSError | ValueError) -> UsageError:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return UsageError(
        f"{path or 'a file without a name'} cannot be written",
        got=reason,
        expected="a file in a folder that exists and may be written to",
    )
