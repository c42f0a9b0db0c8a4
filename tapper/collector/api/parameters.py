"""Parameters of the API's routes: what they are called, what they may be, and how they are read from a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tapper.collector.api.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Kind = Literal["text", "integer", "time", "boolean", "names"]

LONGEST = 8192
"""Characters of a text; as many as a filter may have."""
MOST_NAMES = 200
_TRUE, _FALSE = ("true", "1", ""), ("false", "0")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a query or a path."""

    name: str
    kind: Kind
    meaning: str
    default: Any = None
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int = (1 << 63) - 1
    place: Literal["query", "path"] = "query"
    required: bool = False

    def read(self, text: str) -> Any:
        """Its value.

        Raises:
            RequestError: it can't be that.
        """
        if len(text) > LONGEST:
            raise self._wrong(f"has at most {LONGEST} characters")
        match self.kind:
            case "integer":
                return self._number(text, "a whole number")
            case "time":
                return self._number(text, "a time in nanoseconds since the epoch")
            case "boolean":
                if text.lower() not in _TRUE + _FALSE:
                    raise self._wrong("is true or false")
                return text.lower() in _TRUE
            case "names":
                names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
                if len(names) > MOST_NAMES:
                    raise self._wrong(f"has at most {MOST_NAMES} names")
                if unknown := [name for name in names if self.choices and name not in self.choices]:
                    raise self._wrong(f"has no {unknown[0][:60]!r}; known are {', '.join(self.choices)}")
                return names
        if self.choices and text not in self.choices:
            raise self._wrong(f"is one of {', '.join(self.choices)}")
        return text

    def _number(self, text: str, words: str) -> int:
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 20):
            raise self._wrong(f"is {words}")
        number = int(text)
        if not self.least <= number <= self.most:
            raise self._wrong(f"is {words} from {self.least} to {self.most}")
        return number

    def _wrong(self, words: str) -> RequestError:
        return RequestError("parameter", f"{self.name} {words}")


def read(parameters: Iterable[Parameter], given: Iterable[tuple[str, str]], path: Mapping[str, str]) -> dict[str, Any]:
    """The values of all parameters of a route.

    Args:
        parameters: of the route.
        given: of the query, as they came.
        path: of the path.

    Raises:
        RequestError: one is not known, missing, there twice, or can't be what it is.
    """
    known = {parameter.name: parameter for parameter in parameters}
    values: dict[str, Any] = {}
    for name, text in (*path.items(), *given):
        if name not in known:
            import difflib

            near = difflib.get_close_matches(name[:60], known, n=1)
            raise RequestError(
                "parameter",
                f"no parameter {name[:60]!r} here; known are {', '.join(known) or 'none'}",
                hint=near[0] if near else None,
            )
        if name in values:
            raise RequestError("parameter", f"{name} is there twice")
        values[name] = known[name].read(text)
    for parameter in known.values():
        if parameter.name not in values:
            if parameter.required:
                raise RequestError("parameter", f"{parameter.name} is missing: {parameter.meaning}")
            values[parameter.name] = parameter.default
    return values
