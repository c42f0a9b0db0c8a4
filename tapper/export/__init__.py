"""Records and maps as files that other tools open. Nothing is imported here, so that a command pays for what it uses.

`jsonl` (JSON too), `yamldocs`, `sheet` (CSV) and `parquet` write tables of a feed, `har` writes exchanges, `single` is
the document of one; `map` renders service maps.
"""
