"""The `kexport` command: one file per subcommand, `cmd_NAME.py`. Only this package imports click."""


def main() -> None:
    """Run the command line and end the process with the exit code."""
    from kexport.cli._boundary import run

    run()
