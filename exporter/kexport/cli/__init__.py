"""The `kexport` command: one file per subcommand, `cmd_NAME.py`. Only this package imports click."""


def main() -> None:
    """Run the command line and end the process with the exit code."""
    import signal

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # until there is a message for it, without a traceback
    from kexport.cli._boundary import run

    run()
