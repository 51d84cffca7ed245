"""What a host's answer to a look says; pure."""

import re
from dataclasses import dataclass

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.ssh.commands import BEGIN, Pending

_OURS = re.compile(r"releases/([0-9]+-(.+))")


@dataclass(frozen=True)
class HostState:
    """`link`: the text of `current`, None where there is none; `is_other`: it is no link at all.

    `levels`: how many directories, from the target's upwards, are not there.
    """

    link: str | None
    is_other: bool
    resolves: bool
    has_release: bool
    has_releases: bool
    has_litter: bool
    has_wanted: bool
    pending: Pending
    levels: int


def parsed(answer: bytes) -> HostState:
    """The state out of the look's output; PlatformError where it cannot be acted on."""
    _, begin, rest = answer.partition(BEGIN)
    head, blank, text = rest.partition(b"\n\n")
    if not begin or not blank:
        raise PlatformError("the answer to a look cannot be read; something printed into it")
    said = dict(line.partition("=")[::2] for line in head.decode("ascii", "replace").splitlines())
    if missing := said.get("missing", "").split():
        raise PlatformError(f"the host has no {', '.join(missing)}", permanent=True)
    return HostState(
        link=_link(text) if said.get("link") == "yes" else None,
        is_other=said.get("link") == "other",
        resolves="resolves" in said,
        has_release="release" in said,
        has_releases="releases" in said,
        has_litter="litter" in said,
        has_wanted="wanted" in said,
        pending=_pending(said),
        levels=int(said.get("levels", "0")),
    )


def version_of(link: str) -> str:
    """The version a link text of ours stands for; empty where it is none of ours."""
    match = _OURS.fullmatch(link)
    return match[2] if match else ""


def release_of(link: str) -> str:
    """The name of the release that a link text of ours leads to; empty where it is none of ours."""
    match = _OURS.fullmatch(link)
    return match[1] if match else ""


def _pending(said: dict[str, str]) -> Pending:
    if "restart" in said:
        return Pending.RESTART
    return Pending.CHECK if "check" in said else Pending.NOTHING


def _link(text: bytes) -> str:
    """Exactly what readlink printed, less the one newline that it added."""
    try:
        return text.removesuffix(b"\n").decode()
    except UnicodeDecodeError:
        raise PlatformError(
            "the text of the link `current` is not UTF-8, so it could not be brought back; "
            "point it at a directory with a plain name",
            permanent=True,
        ) from None
