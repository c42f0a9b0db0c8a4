"""Records and maps as files that other tools open. Nothing is imported here, so that a command pays for what it uses.

`requests` writes what a query of a feed gives, in any format: `jsonl` (JSON too), `yamldocs`, `sheet` (CSV) and
`parquet` write tables, `har` writes exchanges; `single` is the document of one, `packets` its packets; `map` renders
service maps.
"""
