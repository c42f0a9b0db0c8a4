"""`tapper collector`: takes what agents ship, keeps it, and answers front ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tapper.cli import exits
from tapper.cli.shipping import address, age, amount
from tapper.cli.values import size

AGENTS_PORT, API_PORT = 7443, 7480
_FILE = click.Path(dir_okay=False, exists=True, path_type=Path)


@click.command("collector", short_help="Take what agents ship, keep it, and answer front ends.")
@click.option("--listen", default=f"0.0.0.0:{AGENTS_PORT}", metavar="ADDRESS:PORT", help="Where agents are let in.")
@click.option("--api-listen", default=f"127.0.0.1:{API_PORT}", metavar="ADDRESS:PORT", help="Where front ends ask.")
@click.option(
    "--credentials",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Directory of the tokens (token: for agents, api-token: for front ends), ca.pem, server.pem and redact-key;"
    " what is missing is made.",
)
@click.option("--host", "hosts", multiple=True, metavar="NAME", help="Name or address that agents call us by.")
@click.option("--certificate", type=_FILE, metavar="FILE", help="Our certificate instead of one of a new authority.")
@click.option("--key", type=_FILE, metavar="FILE", help="Its key.")
@click.option("--client-ca", type=_FILE, metavar="FILE", help="Authority that agents must have a certificate of.")
@click.option(
    "--in-cluster",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    metavar="DIR",
    help="Run as placed by tap and install: DIR has settings and keys, the cluster says what to tap.",
)
@click.option("--plain", is_flag=True, help="No TLS; only where --listen is a loopback address.")
@click.option("--save", type=click.Path(path_type=Path), metavar="X.tap", help="Keep the session, or go on with it.")
@click.option("--retain-rows", type=click.IntRange(1), metavar="N", help="Requests to keep at most.")
@click.option("--retain-bytes", metavar="SIZE", help="Size of the session to stay within.")
@click.option("--retain-age", metavar="TIME", help="How long to keep: 90s, 15m, 2h, 7d.")
@click.option("--names", metavar="FILE", type=click.Path(dir_okay=False), help="YAML file that names addresses.")
@click.option("--title", default="", metavar="TEXT", help="What front ends call it.")
@click.option("--no-redact", "redact", flag_value=False, default=True, help="Keep secrets as they are.")
@click.option("--redact-name", "redact_names", multiple=True, metavar="NAME", help="One more name of a secret.")
@click.option("--no-bodies", "bodies", flag_value=False, default=True, help="Keep no bodies.")
@click.option("--body-limit", type=size, default="64K", metavar="SIZE", help="Bytes of a body to keep (64K).")
def command(**values: Any) -> int:
    """Takes what agents ship over TLS, joins what two of them saw of one call, keeps it in a session, serves the API
    and the web page.

    \b
    tapper collector --credentials here --save shop.tap --retain-age 2h
    tapper agent --collector https://127.0.0.1:7443 --token-file here/token --ca here/ca.pem -i eth0
    tapper --collector http://127.0.0.1:7480 ...
    """
    from tapper.cli.collecting import run
    from tapper.store.partitions import Retention

    retention = Retention(
        values.pop("retain_rows"),
        amount(values["retain_bytes"]) if values["retain_bytes"] else None,
        age(values["retain_age"]) if values["retain_age"] else None,
    )
    del values["retain_bytes"], values["retain_age"]
    listen = address(values.pop("listen"), AGENTS_PORT)
    api = address(values.pop("api_listen"), API_PORT)
    placed = values.pop("in_cluster")
    if placed is not None:
        import asyncio

        from tapper.cli.web import built_page
        from tapper.collector.incluster import serve

        asyncio.run(serve(placed, listen, api, values["save"], built_page()))
        return exits.OK
    return run(listen=listen, api=api, retention=retention, **values)
