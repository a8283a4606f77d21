"""The `kexport` command: one file a subcommand, `cmd_NAME.py`. The only place that knows click."""


def main() -> None:
    """Run the command line and end the process with the exit code."""
    from kexport.cli._boundary import run

    run()
