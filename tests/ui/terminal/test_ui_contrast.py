"""What the rows of a list say can be read in every theme, also under the cursor (WCAG 2.2, 1.4.3: 4.5 to 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.color import Color

from tests.ui.terminal.driving import driven
from ui.terminal import themes

if TYPE_CHECKING:
    from rich.style import Style

    from tapper.feed.interface import Feed

pytestmark = pytest.mark.asyncio

LEAST = 4.5


def luminance(color: Color) -> float:
    parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in color.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(style: Style) -> float:
    assert style.color is not None
    assert style.bgcolor is not None
    light, dark = sorted((luminance(Color.from_rich_color(c)) for c in (style.color, style.bgcolor)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("focus", [True, False], ids=["focused", "beside"])
async def test_rows_can_be_read(small: Feed, theme: str, focus: bool) -> None:
    async with driven(small) as pilot:
        themes.use(pilot.app, theme)
        rows = pilot.app.requests.rows
        pilot.app.screen.set_focus(rows if focus else None)
        await pilot.pause()
        found = {}
        for outcome in ("ok", *themes.OUTCOMES):
            rows.outcome = lambda _, outcome=outcome: outcome
            for cursor in (0, 1):
                rows.cursor = cursor
                rows.repaint()
                [segment, *_] = rows.render_line(0)
                found[outcome, "under the cursor" if cursor == 0 else ""] = contrast(segment.style)
        assert {name: ratio for name, ratio in found.items() if ratio < LEAST} == {}
