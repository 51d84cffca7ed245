"""A page that says what would happen and asks once more."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from accounts.admin.base import Operation


@dataclass(frozen=True)
class Confirmation:
    """One thing that can be done to an object, with its button and its consequences."""

    name: str
    button: str
    done: str
    """What is said afterwards, with {} for the object."""
    consequences: Callable[[Any], Sequence[str]]
    act: Callable[[Any, HttpRequest], None]
    operation: Operation = Operation.CHANGE
    is_destructive: bool = False
