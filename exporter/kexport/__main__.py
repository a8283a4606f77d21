"""`python -m kexport` is the `kexport` command."""

import os
import sys

if __name__ == "__main__":
    # Python puts the current folder first on the import path, where a file click.py or numpy.py shadows the package.
    folders = {"", os.getcwd()} if os.path.exists(".") else {""}
    if not getattr(sys.flags, "safe_path", False) and sys.path[:1] and sys.path[0] in folders:
        del sys.path[0]
    from kexport.cli import main

    main()
