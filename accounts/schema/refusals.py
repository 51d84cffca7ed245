"""What `administration` refuses, as errors whose extensions name each part that is wrong."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from accounts.administration import Invalid, LastAdministrator
from accounts.api import BadUserInput, Conflict

Path = tuple[str | int, ...]
Problem = tuple[Path, str]
# What models call otherwise than the API.
_NAMES = {
    "username": "name",
    "first_name": "name",
    "user_groups": "userGroupIds",
    "groups": "userGroupIds",
    "expires_at": "expiresAt",
}


def wrong(problems: Sequence[Problem]) -> BadUserInput:
    """Every problem at once: the sentences as the message, with the paths in the extensions."""
    return BadUserInput(
        " ".join(message for _, message in problems),
        problems=[{"path": list(path), "message": message} for path, message in problems],
    )


def in_input(name: str) -> Path:
    """Where a model's field stands in the input."""
    return ("input", _NAMES.get(name, name))


@contextmanager
def refusals(path_of: Callable[[str], Path] = in_input) -> Iterator[None]:
    """What is refused inside is answered; `path_of` says which part of the call a field is."""
    try:
        yield
    except Invalid as cause:
        raise wrong([(path_of(name), sentence) for name, sentence in cause.problems]) from cause
    except LastAdministrator as cause:
        raise Conflict(str(cause)) from cause
