"""Exec credential plugins, by which kubeconfigs of cloud providers say who we are.

Source: client.authentication.k8s.io, kubernetes.io/docs/reference.
"""

import json
import os
import subprocess
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from rollbacks.platforms.base import PlatformError

TIME_LIMIT = 30.0
EARLY = timedelta(seconds=60)
_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")

_lock = threading.Lock()
_known: dict[str, tuple[datetime, Mapping[str, Any]]] = {}


def credential(plugin: Mapping[str, Any], cluster: Mapping[str, Any]) -> Mapping[str, Any]:
    """The status of the plugin's ExecCredential: token, clientCertificateData, clientKeyData.

    Asked again a minute before it expires. Raises PlatformError; its text holds no secret.
    """
    key = json.dumps([plugin, cluster], sort_keys=True, default=str)
    with _lock:
        expires, status = _known.get(key, (datetime.min.replace(tzinfo=UTC), {}))
        if datetime.now(UTC) + EARLY >= expires:
            status = _asked(plugin, cluster)
            if until := _expiry(status):
                _known[key] = (until, status)
        return status


def _asked(plugin: Mapping[str, Any], cluster: Mapping[str, Any]) -> Mapping[str, Any]:
    version, command = plugin.get("apiVersion"), plugin.get("command")
    if version not in _VERSIONS or not isinstance(command, str):
        raise _failed("exec", f"its apiVersion must be one of {', '.join(_VERSIONS)}")
    spec: dict[str, Any] = {"interactive": False}
    if plugin.get("provideClusterInfo"):
        spec["cluster"] = {
            "server": cluster.get("server"),
            "certificate-authority-data": cluster.get("certificate-authority-data"),
        }
    info = {"apiVersion": version, "kind": "ExecCredential", "spec": spec}
    given = {str(each["name"]): str(each["value"]) for each in plugin.get("env") or ()}
    try:
        done = subprocess.run(  # noqa: S603 - the kubeconfig is the administrator's
            [command, *map(str, plugin.get("args") or ())],
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
        said = done.stderr.decode(errors="replace").strip()[-300:]
        raise PlatformError(f"{command} gave no credential (exit {done.returncode}): {said}")
    try:
        status = json.loads(done.stdout)["status"]
    except (ValueError, KeyError, TypeError):
        raise _failed(command, "its answer is no ExecCredential") from None
    if not isinstance(status, dict):
        raise _failed(command, "its answer is no ExecCredential")
    return status


def _expiry(status: Mapping[str, Any]) -> datetime | None:
    try:
        return datetime.fromisoformat(str(status["expirationTimestamp"]))
    except (KeyError, ValueError):
        return None


def _failed(command: str, what: str) -> PlatformError:
    return PlatformError(
        f"The kubeconfig's plugin {command} cannot be used: {what}.", permanent=True
    )
