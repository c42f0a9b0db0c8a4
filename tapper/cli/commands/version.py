"""`tapper version`."""

from __future__ import annotations

import click


@click.command("version", short_help="Version of tapper and of what it is built on.")
def command() -> None:
    """Shows the version of tapper, of its records, and of what it is built on."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from tapper.model.schema import SCHEMA_VERSION

    def of(package: str) -> str:
        try:
            return version(package)
        except PackageNotFoundError:
            return "(not installed)"

    try:
        from agent import _engine

        engine = f"records {_engine.SCHEMA_VERSION}"
    except ImportError:
        engine = "not built; run `make build`"
    click.echo(f"tapper {of('tapper')} (records {SCHEMA_VERSION}; engine: {engine})")
    parts = ", ".join(f"{package} {of(package)}" for package in ("duckdb", "pyarrow", "networkx"))
    click.echo(f"Python {platform.python_version()}, {parts}, {platform.system()} {platform.machine()}")
