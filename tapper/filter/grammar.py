"""The CEL grammar of cel-python, and what its parser's complaints mean to a person."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from tapper.filter.error import FilterError

if TYPE_CHECKING:
    import lark

    from tapper.filter.scan import Scanned

OTHER_OPERATORS = {
    "and": "&&",
    "or": "||",
    "not": "!",
    "is": "==",
    "eq": "==",
    "ne": "!=",
    "=": "==",
    "<>": "!=",
    "&": "&&",
    "|": "||",
    "~": ".matches(...)",
    "=~": ".matches(...)",
    "like": ".contains(...)",
    "contains": ".contains(...)",
    "matches": ".matches(...)",
}
"""What other languages write, and CEL's operator for it."""


@functools.cache
def _parser() -> lark.Lark:
    # celpy's own door to the grammar would import all of its evaluator, which takes as long again.
    import importlib.util
    from pathlib import Path

    import lark

    package = importlib.util.find_spec("celpy")
    if package is None or package.origin is None:
        raise ImportError("cel-python is not installed")
    grammar = Path(package.origin).with_name("cel.lark").read_text(encoding="utf-8")
    # The basic lexer takes words whole: the contextual one would read `a inb` as `a in b`.
    return lark.Lark(
        grammar, parser="lalr", lexer="basic", start="expr", propagate_positions=True, maybe_placeholders=False
    )


def parse_masked(scanned: Scanned) -> lark.Tree[lark.Token]:
    """The grammar's tree.

    Raises:
        FilterError: syntax.
    """
    parser = _parser()
    import lark

    try:
        return parser.parse(scanned.masked)
    except lark.UnexpectedToken as error:
        raise _misplaced(scanned, error) from None
    except lark.UnexpectedCharacters as error:
        at = error.pos_in_stream or 0
        length = 2 if scanned.text[at : at + 2] in OTHER_OPERATORS else 1
        written = scanned.text[at : at + length]
        instead = OTHER_OPERATORS.get(written)
        message = f"{written} is no operator" if instead else f"{written} has no meaning here"
        raise FilterError(message, scanned.text, at, length, instead) from None


def _misplaced(scanned: Scanned, error: lark.UnexpectedToken) -> FilterError:
    text = scanned.text
    if error.token.type == "$END":
        return FilterError("it ends too early: something is missing here", text, len(scanned.masked.rstrip()))
    at = error.token.start_pos or 0
    known = scanned.literals.get(at)
    length = known[1] if known else len(error.token)
    word = text[at : at + length]
    for start in (at - 1, at):
        if text[max(start, 0) : start + 2] in OTHER_OPERATORS:
            at, length, word = start, 2, text[start : start + 2]
            break
    negation = re.search(r"\b(?:not|NOT)(?=\s*$)", text[:at])
    if negation:  # a name to the grammar: what does not belong there is the word behind it
        at, length, word = negation.start(), 3, negation[0]
    instead = OTHER_OPERATORS.get(word.lower())
    if instead:
        return FilterError(f"{word} is no operator", text, at, length, instead)
    if "IDENT" in error.expected:
        return FilterError(f"a field or a value is missing before {word}", text, at, length)
    return FilterError(f"{word} does not belong here; conditions are joined by && or ||", text, at, length)
