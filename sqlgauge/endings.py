"""How a process ends before its work is done: told to by Ctrl-C or SIGTERM, or because a file cannot be written.

Promises: a process that is told to end does so within `GRACE` seconds, whatever its main thread is at, and says how to
go on; a second signal ends it at once. Nothing is lost by that: a run folder survives an end at any moment.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
import threading
from types import FrameType

#: Seconds that a process has to end in good order, its workers and calls with it.
GRACE = 1.5
_SIGNALS = {signal.SIGINT: "interrupted", signal.SIGTERM: "ended by SIGTERM"}
_ROOM = "What is stored stays good. Make room and run the same command again: it goes on where it stopped."
_LEAVE = "Make it writable, or choose another folder with --out, and run the same command again."
_REASONS = {
    errno.ENOSPC: ("the disk is full", _ROOM),
    errno.EDQUOT: ("the disk quota is used up", _ROOM),
    errno.EFBIG: ("the file may not grow any more (see 'ulimit -f')", _ROOM),
    errno.EIO: ("the disk failed", "Look after the disk, then run the same command again: what is stored is kept."),
    errno.ENOTDIR: ("a file is in the way", "Choose another folder with --out."),
    errno.EEXIST: ("a file is in the way", "Choose another folder with --out."),
    errno.ENAMETOOLONG: ("its name is too long", "Give a shorter --name or --out."),
    errno.EROFS: ("it is read-only", _LEAVE),
    errno.EACCES: ("permission denied", _LEAVE),
    errno.EPERM: ("it is not permitted", _LEAVE),
}


class Told(KeyboardInterrupt):
    """The process was told to end by a signal. Nobody but `main` catches it."""


class Ending:
    """Whether this process was told to end, and what it says then."""

    def __init__(self) -> None:
        self._signal: int = signal.SIGINT
        self._said = threading.Lock()
        self.keep: tuple[socket.socket, ...] = ()  # sockets close when nobody holds them

    @property
    def exit_code(self) -> int:
        return 128 + self._signal

    def say(self) -> None:
        """Say, once, that the process ends and how to go on."""
        if self._said.acquire(blocking=False):
            told = _SIGNALS[signal.Signals(self._signal)]
            print(f"sqlgauge: {told}; run the same command again to go on.", file=sys.stderr, flush=True)

    def note(self, number: int, frame: FrameType | None) -> None:
        """The handler: leave whatever is under way."""
        self._signal = number
        raise Told

    def watch(self, bell: socket.socket) -> None:
        """Wait for a signal, then for the process to end; end it after `GRACE` seconds or at a second signal."""
        while (number := _ring(bell)) not in _SIGNALS:
            if number == 0:
                return
        self._signal = number
        bell.settimeout(GRACE)
        try:
            while _ring(bell) not in (0, *_SIGNALS):
                pass
        except TimeoutError:
            pass
        self.say()
        os._exit(self.exit_code)


def _ring(bell: socket.socket) -> int:
    """The number of the next signal; 0 where there will be none."""
    return int.from_bytes(bell.recv(1), "big")


def end_soon() -> Ending:
    """Have SIGINT and SIGTERM raise `Told` in the main thread, and end the process soon where that does not help.

    For the entry of a process. The kernel's own wake-up socket rings for a signal even while the main thread is inside
    one long call. A forked child has no part in it: it takes signals as others do.
    """
    ending = Ending()
    bell, rope = socket.socketpair()
    rope.setblocking(False)
    before = {number: signal.signal(number, ending.note) for number in _SIGNALS}
    signal.set_wakeup_fd(rope.fileno(), warn_on_full_buffer=False)
    ending.keep = (rope, bell)

    def forget() -> None:
        signal.set_wakeup_fd(-1)
        for number, handler in before.items():
            signal.signal(number, handler)

    os.register_at_fork(after_in_child=forget)
    threading.Thread(target=ending.watch, args=[bell], daemon=True).start()
    return ending


def why_not_written(error: OSError) -> tuple[str, str] | None:
    """What kept a file from being used and what to do about it; None for an error of another kind."""
    if error.errno not in _REASONS or not isinstance(error.filename, str | bytes):
        return None
    reason, hint = _REASONS[error.errno]
    verb = "write" if hint is _ROOM else "use"
    return f"cannot {verb} {os.fsdecode(error.filename)}: {reason}", hint
