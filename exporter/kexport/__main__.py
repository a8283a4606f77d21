"""`python -m kexport` is the `kexport` command."""

from kexport.cli import main

if __name__ == "__main__":
    main()
