"""The worker process: takes batches of jobs on standard input, answers on standard output.

Promises: the kernel ends it when a statement overruns (an interval timer whose signal nobody catches), when memory
runs out, and when its parent has gone; it can create no file (RLIMIT_FSIZE is 0) and sees no environment.
Does not: know about metrics or models.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import BinaryIO

import msgspec

from benchmark.sqlengine.protocol import OUT_OF_MEMORY, Job, read_frame, write_frame
from benchmark.sqlengine.session import Databases, answer


def _confine(memory_bytes: int) -> None:
    """Give up what a query never needs: files, memory beyond the cap, core dumps, a place in front of the queue."""
    import apsw

    apsw.hard_heap_limit(memory_bytes)
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (4 * memory_bytes + (1 << 30),) * 2)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle; it then closes our input


def _follow_parent(parent: int) -> None:
    """End this process when its parent has gone, whatever it is doing."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer batches until the input ends. Replies of a batch go out as they come, gathered for 20 ms at most."""
    databases, decoder = Databases(), msgspec.msgpack.Decoder(list[Job])
    while (frame := read_frame(source)) is not None:
        flushed = time.monotonic()
        for job in decoder.decode(frame):
            write_frame(sink, answer(job, databases))
            if time.monotonic() - flushed > 0.02:
                sink.flush()
                flushed = time.monotonic()
        sink.flush()


def main() -> None:
    """Entry of the process: `python -m benchmark.sqlengine.worker MEMORY_BYTES`."""
    threading.Thread(target=_follow_parent, args=(os.getppid(),), daemon=True).start()
    _confine(int(sys.argv[1]))
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


if __name__ == "__main__":
    main()
