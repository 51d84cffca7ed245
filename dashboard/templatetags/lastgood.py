"""How statuses, times and icons look. Every status is a color, a word and an icon."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django import template
from django.template.defaultfilters import pluralize
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from dashboard import queries
from dashboard.models import Deployment

register = template.Library()

_RING = '<circle cx="8" cy="8" r="6.25"/>'
_SHAPES = {
    "check": _RING + '<path d="m5.2 8.2 2 2 3.6-4.2"/>',
    "cross": _RING + '<path d="m5.8 5.8 4.4 4.4m0-4.4-4.4 4.4"/>',
    "pause": _RING + '<path d="M6.5 5.8v4.4m3-4.4v4.4"/>',
    "clock": _RING + '<path d="M8 4.6V8l2.3 1.4"/>',
    "running": '<path d="M14.25 8A6.25 6.25 0 1 1 8 1.75"/>',
    "stop": _RING + '<path d="M6.2 6.2h3.6v3.6H6.2z"/>',
    "slash": _RING + '<path d="m3.7 3.7 8.6 8.6"/>',
    "minus": _RING + '<path d="M5.3 8h5.4"/>',
    "question": _RING + '<path d="M6.3 6.4a1.75 1.75 0 1 1 2.6 1.5c-.6.3-.9.7-.9 1.2m0 2.2v.1"/>',
    "info": _RING + '<path d="M8 7.4v3.6M8 5v.1"/>',
    "skip": '<path d="m4 4 4 4-4 4m7.5-8v8"/>',
    "warning": '<path d="M8 2.2 14.4 13.3H1.6z"/><path d="M8 6.4v3.2m0 1.8v.1"/>',
    "rollback": '<path d="M2.5 2.8v3.6h3.6M2.9 6.2a5.6 5.6 0 1 1-.4 3.3"/>',
    "refresh": '<path d="M13.5 2.8v3.6H9.9m3.2-.2a5.6 5.6 0 1 0 .4 3.3"/>',
    "arrow": '<path d="M2.5 8h11M9.5 4l4 4-4 4"/>',
    "chevron": '<path d="m6 4 4 4-4 4"/>',
    "back": '<path d="m10 4-4 4 4 4"/>',
    "dots": '<path d="M8 3.2v.01M8 8v.01M8 12.8v.01" stroke-width="2.6"/>',
    "production": '<path d="M8 1.6 13.6 4v4c0 3.2-2.3 5.4-5.6 6.4C4.7 13.4 2.4 11.2 2.4 8V4z"/>',
    "search": '<circle cx="7" cy="7" r="4.5"/><path d="m10.4 10.4 3.4 3.4"/>',
    "empty": '<path d="M2 9.5h3.5l1 2h3l1-2H14M2 9.5v3.8h12V9.5L11.5 3h-7z"/>',
}

# code: (tone, icon, word). Tones: idle, active, good, warning, bad.
_TAGS = {
    "QUEUED": ("idle", "clock", "Queued"),
    "RUNNING": ("active", "running", "Running"),
    "PAUSED": ("warning", "pause", "Paused"),
    "ABORTING": ("warning", "stop", "Aborting"),
    "SUCCEEDED": ("good", "check", "Succeeded"),
    "FAILED": ("bad", "cross", "Failed"),
    "ABORTED": ("idle", "slash", "Aborted"),
    "IGNORED": ("warning", "skip", "Failed, ignored"),
    "SKIPPED": ("idle", "skip", "Skipped"),
    "DONE": ("good", "check", "Done"),
    "UNCHANGED": ("idle", "minus", "Unchanged"),
    "UNKNOWN": ("warning", "question", "Unknown"),
    "GONE": ("idle", "slash", "Gone"),
    "WAITING": ("idle", "clock", "Waiting"),
    "ROLLED_BACK": ("good", "rollback", "Rolled back"),
    "DEPLOYED": ("good", "check", "Deployed"),
    "UNTOUCHED": ("idle", "minus", "Untouched"),
    "DIFFERENT": ("bad", "cross", "Different"),
    "REFUSED": ("bad", "slash", "Refused"),
    "ROLLING_BACK": ("active", "running", "Rolling back"),
    "WAS_ROLLED_BACK": ("idle", "rollback", "Rolled back"),
    "ROLLBACK_FAILED": ("bad", "cross", "Rollback failed"),
    "DEPLOYING": ("active", "running", "Deploying"),
    "HEALTHY": ("good", "check", "Healthy"),
    "UNHEALTHY": ("bad", "cross", "Unhealthy"),
}


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon beside a word that says the same, so hidden from screen readers."""
    return format_html(
        '<svg class="icon icon--{}" viewBox="0 0 16 16" aria-hidden="true">{}</svg>',
        name,
        mark_safe(_SHAPES[name]),  # noqa: S308 - ours, above
    )


@register.simple_tag
def tag(code: str, word: str = "") -> SafeString:
    """A status of a deployment, step or instance, or a verdict: color, icon and word."""
    tone, shape, usual = _TAGS.get(code, ("idle", "question", code))
    return format_html('<span class="tag tag--{}">{}{}</span>', tone, icon(shape), word or usual)


@register.simple_tag
def health_tag(is_healthy: bool | None) -> SafeString:
    """What an instance said of itself; None: nothing."""
    return tag({True: "HEALTHY", False: "UNHEALTHY", None: "UNKNOWN"}[is_healthy])


@register.simple_tag
def rollback_tag(deployment: Deployment) -> SafeString | str:
    """The badge of a deployment that was or is being rolled back."""
    state = queries.rollback_state(deployment)
    return tag(state) if state else ""


@register.simple_tag
def ago(at: datetime | None) -> SafeString:
    """A relative time that the page keeps true, the exact one on hover and for screen readers."""
    if at is None:
        return mark_safe('<span class="muted">never</span>')
    exact = timezone.localtime(at)
    return format_html(
        '<time datetime="{0}" title="{1}"><span class="relative" data-at="{0}" aria-hidden="true">'
        '{2}</span><span class="visually-hidden"> {1}</span></time>',
        exact.isoformat(timespec="seconds"),
        f"{exact:%Y-%m-%d %H:%M:%S %Z}",
        _relative((timezone.now() - at).total_seconds(), exact),
    )


@register.simple_tag
def took(began: datetime | None, ended: datetime | None) -> SafeString | str:
    """How long it lasted, or has lasted so far; the page keeps that counting."""
    if began is None:
        return ""
    if ended is not None:
        return duration((ended - began).total_seconds())
    so_far = duration((timezone.now() - began).total_seconds())
    return format_html('<span data-since="{}">{}</span>', began.isoformat(), so_far)


def duration(seconds: float) -> str:
    """Such as 0.4 s, 12 s, 3 min 4 s, 2 h 5 min; lastgood.js says it the same way."""
    if seconds < 1:
        return f"{max(seconds, 0):.1f} s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _relative(seconds: float, at: datetime) -> str:
    """Such as 12 s ago; lastgood.js says it the same way."""
    if seconds < 5:
        return "just now"
    for limit, size, unit in ((60, 1, "s"), (3600, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{int(seconds // size)} {unit} ago"
    if seconds < 30 * 86_400:
        return f"{int(seconds // 86_400)} d ago"
    return f"{at:%Y-%m-%d}"


@register.filter
def other_than(refusals: Iterable[Any], code: str) -> list[Any]:
    """The refusals with another code."""
    return [each for each in refusals if each.code != code]


@register.filter
def together(said: Iterable[Any]) -> list[tuple[Any, list[str]]]:
    """What is said alike of several instances (a Change, a Difference), once, with their keys."""
    groups: dict[Any, list[str]] = {}
    for each in said:
        groups.setdefault(replace(each, instance=""), []).append(each.instance)
    return list(groups.items())


@register.filter
def worst_first(members: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Members of an instance: the unhealthy, those of which it is not known, the others."""
    order = {False: 0, None: 1, True: 2}
    return sorted(members, key=lambda each: (order[each["is_healthy"]], each["name"]))


@register.filter
def tally(members: Collection[Mapping[str, Any]]) -> str:
    """Such as "50 members, 2 unhealthy, 1 unknown"."""
    said = [each["is_healthy"] for each in members]
    parts = [f"{len(members)} member{pluralize(len(members))}"]
    words = ((said.count(False), "unhealthy"), (said.count(None), "unknown"))
    return ", ".join([*parts, *(f"{count} {word}" for count, word in words if count)])
