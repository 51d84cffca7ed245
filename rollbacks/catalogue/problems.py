"""What is wrong with a catalogue, said so that a person finds the place and can mend it."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic_core import ErrorDetails

SENTENCES = {
    "Field required": "is required",
    "Extra inputs are not permitted": "is not known here: check the spelling and the indentation",
    "Input should be a valid list": "must be a list: start each entry with '- '",
    "Input should be a valid string": "must be text: put the value in quotes",
    "Input should be a valid dictionary": "must be a mapping of names to values",
}


@dataclass(frozen=True, order=True)
class Problem:
    """`line` counts from 1, 0 where it is about the whole file; `field` is a path with dots."""

    file: str
    line: int
    field: str
    sentence: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.field, self.sentence) if part)


class CatalogueError(ValueError):
    """The catalogue is refused whole and nothing was written; `problems` says why."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(map(str, self.problems)))


def sentence(message: str) -> str:
    """A validation message as a sentence for people; never quotes the refused value."""
    message = message.removeprefix("Value error, ")
    if message.startswith("Input should be a valid dictionary or"):
        return SENTENCES["Input should be a valid dictionary"]
    return SENTENCES.get(message, message)


def located(errors: Sequence[ErrorDetails]) -> list[tuple[str, str]]:
    """Pydantic's errors as (path with dots, sentence)."""
    return [(".".join(map(str, each["loc"])), sentence(each["msg"])) for each in errors]
