"""Exec credential plugins, by which kubeconfigs of cloud providers say who we are.

Source: client.authentication.k8s.io, kubernetes.io/docs/reference.
"""

import json
import os
import subprocess
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from rollbacks.platforms.base import PlatformError

TIME_LIMIT = 30.0
SHORTEST_SECRET = 6
EARLY = timedelta(seconds=60)
_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")

_lock = threading.Lock()
_locks: dict[str, threading.Lock] = {}  # for each plugin its own: none waits for another's
_known: dict[str, "_Known"] = {}


@dataclass
class _Known:
    """`was_used_again`: what it says is some time old, and may no longer be good."""

    until: datetime
    status: Mapping[str, Any]
    was_used_again: bool = False


def credential(plugin: Mapping[str, Any], cluster: Mapping[str, Any]) -> Mapping[str, Any]:
    """The status of the plugin's ExecCredential: token, clientCertificateData, clientKeyData.

    Asked again a minute before it expires. Raises PlatformError; its text holds no secret.
    """
    key = _key(plugin, cluster)
    with _lock:
        own_lock = _locks.setdefault(key, threading.Lock())
    with own_lock:
        known = _known.get(key)
        if known is not None and datetime.now(UTC) + EARLY < known.until:
            known.was_used_again = True
            return known.status
        status = _asked(plugin, cluster)
        if until := _expiry(status):
            _known[key] = _Known(until, status)
        return status


def forget(plugin: Mapping[str, Any], cluster: Mapping[str, Any]) -> bool:
    """The cluster does not accept it: ask anew next time; whether that may help."""
    known = _known.pop(_key(plugin, cluster), None)
    return known is not None and known.was_used_again


def _key(plugin: Mapping[str, Any], cluster: Mapping[str, Any]) -> str:
    return json.dumps([plugin, cluster], sort_keys=True, default=str)


def _command(plugin: Mapping[str, Any]) -> str:
    command = plugin.get("command")
    if not isinstance(command, str) or not command:
        raise _failed("exec", "it has no command")
    if plugin.get("apiVersion") not in _VERSIONS:
        raise _failed(command, f"its apiVersion must be one of {', '.join(_VERSIONS)}")
    return command


def _asked(plugin: Mapping[str, Any], cluster: Mapping[str, Any]) -> Mapping[str, Any]:
    command, version = _command(plugin), plugin["apiVersion"]
    spec: dict[str, Any] = {"interactive": False}
    if plugin.get("provideClusterInfo"):
        spec["cluster"] = {
            "server": cluster.get("server"),
            "certificate-authority-data": cluster.get("certificate-authority-data"),
        }
    info = {"apiVersion": version, "kind": "ExecCredential", "spec": spec}
    try:
        given = {str(each["name"]): str(each["value"]) for each in plugin.get("env") or ()}
        arguments = [str(each) for each in plugin.get("args") or ()]
    except (KeyError, TypeError):
        raise _failed(command, "its args or env are not lists as kubectl takes them") from None
    try:
        done = subprocess.run(  # noqa: S603 - the kubeconfig is the administrator's
            [command, *arguments],
            env={**os.environ, **given, "KUBERNETES_EXEC_INFO": json.dumps(info)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIME_LIMIT,
            check=False,
        )
    except OSError as error:
        raise _failed(command, f"it cannot be started: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise PlatformError(f"{command} gave no credential within {TIME_LIMIT:g} s.") from None
    if done.returncode:
        said = _without(given.values(), done.stderr.decode(errors="replace").strip())[-300:]
        raise PlatformError(f"{command} gave no credential (exit {done.returncode}): {said}")
    return _status(command, done.stdout)


def _status(command: str, answer: bytes) -> Mapping[str, Any]:
    try:
        status = json.loads(answer)["status"]
    except (ValueError, KeyError, TypeError):
        status = None
    if not isinstance(status, dict):
        raise _failed(command, "its answer is no ExecCredential")
    return status


def _expiry(status: Mapping[str, Any]) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(status["expirationTimestamp"]))
    except (KeyError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _without(secrets: Iterable[str], text: str) -> str:
    """What the plugin said, without what the kubeconfig gave it."""
    for secret in secrets:
        text = text.replace(secret, "…") if len(secret) >= SHORTEST_SECRET else text
    return text


def _failed(command: str, what: str) -> PlatformError:
    return PlatformError(
        f"The kubeconfig's plugin {command} cannot be used: {what}.", permanent=True
    )
