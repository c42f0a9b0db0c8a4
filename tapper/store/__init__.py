"""Keeps records: narrow rows in DuckDB, heads and bodies as the engine's compressed batches in segment files."""
