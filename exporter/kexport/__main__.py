"""`python -m kexport` is the `kexport` command."""

import contextlib
import os
import sys

if __name__ == "__main__":
    # Python puts the current folder first on the import path, where a file click.py or numpy.py shadows the package.
    if not getattr(sys.flags, "safe_path", False):
        with contextlib.suppress(OSError):  # the current folder may have been removed
            if sys.path[:1] in ([""], [os.getcwd()]):
                del sys.path[0]
    from kexport.cli import main

    main()
