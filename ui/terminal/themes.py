"""Dark, light, the terminal's own colours, none at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style
from textual.theme import Theme

if TYPE_CHECKING:
    from textual.app import App
    from textual.widget import Widget

NAMES = ("dark", "light", "terminal")

OUTCOMES = {
    "client_error": "warning",
    "server_error": "error",
    "reset": "error",
    "timeout": "secondary",
    "refused": "secondary",
    "unanswered": "secondary",
    "incomplete": "muted",
    "open": "accent",
}
"""How a request or a connection went -> the colour of its text; what went well has none."""

DARK = Theme(
    name="dark",
    primary="#5fafd7",
    secondary="#d787d7",
    accent="#5fd7d7",
    warning="#d7af5f",
    error="#ff6b6b",
    success="#87d787",
    foreground="#d8dee4",
    background="#14171a",
    surface="#1b1f23",
    panel="#262c32",
    dark=True,
)
LIGHT = Theme(
    name="light",
    primary="#00568f",
    secondary="#8700af",
    accent="#006a6a",
    warning="#8a5a00",
    error="#b00020",
    success="#1d6b1d",
    foreground="#1c2024",
    background="#fbfbfa",
    surface="#f1f1ef",
    panel="#e2e2df",
    dark=False,
)


def outcome_rules(widget: str, prefix: str) -> str:
    """CSS for the component classes `prefix--outcome` of a widget."""
    return "\n".join(f"{widget} > .{prefix}--{name} {{ color: $text-{colour}; }}" for name, colour in OUTCOMES.items())


def text_style(widget: Widget, component: str) -> Style:
    """Colour and weight of a component's text, as it is on the widget's ground; no ground of its own."""
    style = widget.get_component_rich_style(component)
    return style.without_color + Style(color=style.color)


def register(app: App[None]) -> None:
    """Makes them known."""
    for theme in (DARK, LIGHT):
        app.register_theme(theme)


def use(app: App[None], name: str) -> None:
    """Uses one by name; where colours are not wanted (NO_COLOR), the terminal's own, of which nothing is left."""
    if app.no_color or name == "terminal" or name not in NAMES:
        app.theme = "ansi-dark"
    else:
        app.theme = name
