"""What the shop declares: one service, on so many targets, with a good release and a bad one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.artifacts import checksum, zip_artifact
from tests.aws.group import Group
from tests.surviving.site import KEY, Site

Json = dict[str, Any]

GOOD, BAD = "1.4.1", "1.4.2"
# Going back takes its time in each of its parts, so that whatever happens, happens in the middle.
RESTART = 'test "$LASTGOOD_DIRECTION" = deploy || sleep 0.7'
INSTALL = {"name": "Install", "kind": "ssh.install", "settings": {"restart_command": RESTART}}
DRAIN, SETTLE = (
    {"name": name, "kind": "wait", "settings": {"seconds": 1}} for name in ("Drain", "Settle")
)
PHASE = {
    "name": "Hosts",
    "steps": [INSTALL],
    "rollback_steps": [DRAIN, {"undo": "Install"}, SETTLE],
}
MAY = {"applications": "ALL", "environments": ["ALL"]}
DEPLOYING = ["READ", "EXECUTE_WORKFLOW", "ROLLBACK_WORKFLOW", "ABORT_WORKFLOW"]
OPERATORS = {
    "name": "Operators",
    "account_permissions": ["Manage Applications"],
    "app_permissions": [
        {"type": "DEPLOYMENT", "actions": DEPLOYING, **MAY},
        {"type": "ALL", "actions": ["READ"], **MAY},
    ],
}


def declared(site: Site, targets: Sequence[str]) -> str:
    """The document for `manage.py apply`; each target has a directory of its own on every host."""
    infrastructures = [_infrastructure(site, name, site.fleet.infrastructure) for name in targets]
    return _document(site, infrastructures, [_workflow(name) for name in targets])


def declared_group(site: Site, group: Group, name: str, phases: Sequence[int]) -> str:
    """As `declared`, of one target: a group whose hosts come and go, and its canary in phases."""
    step = {**INSTALL, "timeout": 120}
    canary = [
        {"name": f"{share} %", "select": {"percentage": share}, "steps": [step]} for share in phases
    ]
    workflow = {**_workflow(name), "type": "CANARY", "definition": {"phases": canary}}
    return _document(
        site, [_infrastructure(site, name, group.settings)], [workflow], [group.connector]
    )


def _document(
    site: Site,
    infrastructures: Sequence[Json],
    workflows: Sequence[Json],
    more: Sequence[Json] = (),
) -> str:
    connector = {
        "name": "hosts",
        "deployment_type": "SSH",
        "credential": f"env:{KEY}",
        "settings": {**site.fleet.connector, "connect_timeout": 15},
    }
    shop = {
        "name": "Shop",
        "services": [{"name": "web", "deployment_type": "SSH", "artifact_type": "ZIP"}],
        "environments": [
            {
                "name": "Production",
                "type": "PRODUCTION",
                "infrastructures": list(infrastructures),
            }
        ],
        "artifacts": [_artifact(version, site.directory) for version in (GOOD, BAD)],
        "workflows": list(workflows),
    }
    return yaml.safe_dump(
        {"connectors": [connector, *more], "applications": [shop], "user_groups": [OPERATORS]}
    )


def directory_of(target: str) -> str:
    """Its name on the hosts."""
    return target.replace(" ", "-").lower()


def _infrastructure(site: Site, name: str, hosts: Json) -> Json:
    place = f"{site.fleet.directory}/hosts/{{name}}/srv/{directory_of(name)}"
    settings = {**hosts, "directory": place}
    return {"name": name, "connector": "hosts", "settings": settings}


def _workflow(name: str) -> Json:
    return {
        "name": name,
        "type": "BASIC",
        "service": "web",
        "infrastructure": f"Production / {name}",
        "definition": {"phases": [PHASE]},
    }


def _artifact(version: str, directory: Path) -> dict[str, str]:
    content = zip_artifact({"index.html": version, f"only-in-{version}.txt": version * 100})
    path = directory / f"{version}.zip"
    path.write_bytes(content)
    return {
        "service": "web",
        "version": version,
        "location": str(path),
        "checksum": checksum(content),
    }
