from __future__ import annotations

from tests.ui.terminal.keys_page import PAGE, page


def test_the_page_of_keys_is_true() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.ui.terminal.keys_page"
