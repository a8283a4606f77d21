"""A terminal of a given width that runs the command line, and what it shows in the end."""

import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time
from dataclasses import dataclass, field

_TOKEN = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|(\r)|(\n)|([^\x1b\r\n]+)|(\x1b)")


@dataclass
class Shown:
    """What a command wrote to its terminal: the pieces with the seconds at which they came, and its exit code."""

    pieces: list[tuple[float, bytes]] = field(default_factory=list)
    code: int = -1

    @property
    def raw(self) -> str:
        """Everything that was written."""
        return b"".join(piece for _, piece in self.pieces).decode()

    @property
    def lines(self) -> list[str]:
        """The lines that stay."""
        lines, row, column = [""], 0, 0
        for arguments, command, carriage, newline, text, _ in _TOKEN.findall(self.raw):
            if text:
                lines[row] = lines[row].ljust(column)[:column] + text + lines[row][column + len(text) :]
                column += len(text)
            elif carriage:
                column = 0
            elif newline:
                row += 1
                lines += [""] * (row == len(lines))
            elif command == "K":
                lines[row] = "" if arguments == "2" else lines[row][:column]
            elif command == "A":
                row = max(0, row - int(arguments or 1))
        return lines

    @property
    def escapes(self) -> set[str]:
        """The kinds of escape sequences: `m` for colours."""
        return {command or "?" for _, command, _, _, _, lone in _TOKEN.findall(self.raw) if command or lone}


def shown(*arguments, width, cwd, press_after=None, **variables) -> Shown:
    """Run the command line in a terminal; Ctrl-C is pressed when what matches `press_after` was written."""
    command = [sys.executable, "-m", "kexport", *map(str, arguments)]
    environment = {**os.environ, "TERM": "xterm-256color", **variables}
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(cwd)
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
        os.execvpe(command[0], command, environment)
    result, began = Shown(), time.monotonic()
    while time.monotonic() - began < 240:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            piece = os.read(terminal, 1 << 16)
        except OSError:  # as Linux says that the other end is closed
            break
        if not piece:
            break
        result.pieces.append((time.monotonic() - began, piece))
        if press_after and re.search(press_after, result.raw):
            os.write(terminal, b"\x03")
            press_after = None
    os.close(terminal)
    result.code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return result
