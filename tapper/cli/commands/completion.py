"""`tapper completion`."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")


@click.command("completion", short_help="Shell completion for bash, zsh or fish.")
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Prints the completion script of a shell.

    \b
    bash  put this into ~/.bashrc:  eval "$(tapper completion bash)"
    zsh   put this into ~/.zshrc:   eval "$(tapper completion zsh)"
    fish  tapper completion fish > ~/.config/fish/completions/tapper.fish
    """
    from click.shell_completion import get_completion_class

    from tapper.cli.program import program

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(kind(program, {}, "tapper", "_TAPPER_COMPLETE").source())
