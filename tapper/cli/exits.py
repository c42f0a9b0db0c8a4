"""Exit codes; documented in docs/exit-codes.md, which a test compares with this."""

from __future__ import annotations

OK = 0
ERROR = 1
USAGE = 2
DAMAGED = 3
DIFFERENT = 4
INTERRUPTED = 130

MEANINGS = {
    OK: "done; also when whoever reads the output has had enough and closed the pipe",
    ERROR: "it could not be done: no such file, not a capture, no such record, no room on the disk ...",
    USAGE: "the command line is wrong: an unknown option, a filter or a names file that can't be understood",
    DAMAGED: "a capture is cut off or damaged: the records up to there were given",
    DIFFERENT: "`tapper map --diff` found differences",
    INTERRUPTED: "stopped by Ctrl-C; what was read until then was given",
}
