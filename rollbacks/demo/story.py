"""What the demo tells: a good version is deployed, then a bad one, through the engine."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from string import Template

from django.db.models import QuerySet
from django.utils import timezone

from accounts import administration
from accounts.models import User
from dashboard.models import Artifact, Deployment, Infrastructure, Status, Workflow
from rollbacks import actions
from rollbacks.catalogue import apply
from rollbacks.demo.fleet import LOOPBACK, Host
from rollbacks.demo.releases import Release, build

CATALOGUE = Path(__file__).with_name("catalogue.yaml")
HOSTS = {
    "qa": ("qa-1", "qa-2"),
    "production": ("web-1", "web-2", "web-3", "web-4", "web-5", "web-6"),
}
# For this machine only: the demo listens on loopback, and wipes its database at each start.
PASSWORDS = {"engineer": "engineer-demo", "viewer": "viewer-demo", "admin": "admin-demo"}
STORY = (
    ("catalog-api", "2.8.0", "First release"),
    ("storefront", "1.4.1", "Pay by invoice"),
    ("storefront", "1.4.2", "Faster price list"),
)


def declare(state: Path, hosts: Sequence[Host]) -> None:
    """Build the artifacts, apply the catalogue, and let people sign in."""
    releases = build(state / "artifacts")
    path = state / "catalogue.yaml"
    path.write_text(_rendered(state, hosts, releases))
    apply([path])
    for name, password in PASSWORDS.items():
        administration.set_password(User.people.get(username=name), password, by=None)


def begin() -> None:
    """Ask for every deployment, in order; the site's worker does them."""
    engineer = User.objects.get(username="engineer")
    for service, version, note in STORY:
        workflow = Workflow.objects.get(service__name=service)
        artifact = Artifact.objects.get(service__name=service, version=version)
        for infrastructure in _infrastructures(service):
            actions.execute(
                workflow, infrastructure, artifact, {}, engineer, timezone.now(), note=note
            )


def is_told() -> bool:
    """Whether every deployment has ended."""
    return not any(not each.is_finished for each in Deployment.objects.all())


def failures() -> list[str]:
    """What did not succeed, and why."""
    ended = Deployment.objects.exclude(status=Status.SUCCEEDED).with_names()
    return [f"{each} to {each.target}: {each.message}" for each in ended]


def _infrastructures(service: str) -> QuerySet[Infrastructure]:
    kind = "api" if service == "catalog-api" else "web"
    return Infrastructure.objects.filter(name__endswith=f"{kind} hosts").order_by("pk")


def _rendered(state: Path, hosts: Sequence[Host], releases: Iterable[Release]) -> str:
    """The catalogue with what is only known now; JSON is YAML."""
    places = {
        environment: json.dumps([_entry(host) for host in hosts if host.name in names])
        for environment, names in HOSTS.items()
    }
    artifacts = json.dumps([asdict(release) for release in releases])
    return Template(CATALOGUE.read_text()).substitute(places, state=state, artifacts=artifacts)


def _entry(host: Host) -> dict[str, object]:
    variables = {"page_port": str(host.page_port)}
    return {"name": host.name, "address": LOOPBACK, "port": host.ssh_port, "variables": variables}
