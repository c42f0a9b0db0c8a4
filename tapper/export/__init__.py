"""Records and maps as files that other tools open. Nothing is imported here: the command line asks for names early.

`jsonl` (JSON too), `yamldocs`, `sheet` (CSV) and `parquet` write tables of a feed, `har` writes exchanges, `single` is
the document of one; `map` renders service maps.
"""

RECORD_FORMATS = ("json", "jsonl", "yaml", "har", "csv", "parquet")
MAP_FORMATS = ("json", "graphml", "dot", "mermaid", "csv", "svg", "png")
