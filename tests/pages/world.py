"""A shop in a bad week: long names, thirty hosts, failures, an edited workflow."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from django.utils import timezone

from accounts import administration, policy
from accounts.policy import Denied
from accounts.vocabulary import AccountPermission, Action
from dashboard.models import (
    Artifact,
    Deployment,
    Environment,
    Infrastructure,
    Service,
    Target,
    Workflow,
)
from rollbacks import platforms
from tests import lab, scene
from tests.pages import factories

HOSTS = [f"web-{number:02}.eu-central-1" for number in range(1, 31)]
OLD, NEW = "1.4.1", "1.4.2-hotfix.20261123+build.77"
LONG = "payment-gateway-reconciliation-worker-europe"


def make_world() -> scene.Scene:
    """Everything; `extra` holds the deployments and services that tests open."""
    shop = scene.scene(settings={"hosts": HOSTS}, definition=_definition("restart gracefully"))
    shop.engineer.first_name, shop.engineer.last_name = "Anna-Lena", "Schwarzenberger"
    shop.engineer.save()
    shop.service.description = "What customers see"
    shop.service.save()
    shop.deploy(OLD, note="Pay by invoice")
    shop.extra["bad"] = shop.deploy(NEW, note="Faster price list")
    scene.revise(shop.workflow, _definition("restart at once"))
    shop.extra["storefront"] = shop.service
    _elsewhere(shop.service)
    _bad_week(shop)
    _failures(shop)
    _crowd(shop.service)
    _people()
    return shop


def _people() -> None:
    """Somebody who may read the audit trail, and a trail to read."""
    auditors = scene.group("Auditors", account=[AccountPermission.VIEW_AUDITS])
    auditor = scene.person("auditor", auditors)
    robots = administration.create_group("Robots that release at night", by=None)
    wanted = policy.EVERYTHING
    administration.set_permissions(robots, wanted, by=None)
    administration.set_permissions(robots, replace(wanted, account=frozenset()), by=None)
    with suppress(Denied):
        administration.add_member(robots, auditor, by=auditor)


def _definition(how: str) -> dict[str, object]:
    steps = [{"name": "Install", "kind": lab.Install.kind, "settings": {"then": how}}]
    return {"phases": [{"name": "All hosts", "steps": steps}]}


def _environment(name: str, service: Service) -> Environment:
    return factories.make_environment(name, service.application)


def _elsewhere(service: Service) -> None:
    """storefront in two more environments: one half broken, one being deployed to."""
    qa = factories.make_target(service, _environment("qa", service), "qa hosts")
    factories.make_deployment(qa, OLD, at=timezone.now() - timedelta(days=2))
    factories.make_deployment(qa, NEW, at=timezone.now() - timedelta(hours=5))
    factories.make_instances(qa, NEW, "qa-1", "qa-2")
    factories.make_instances(
        qa, NEW, "qa-3", is_healthy=False, message="GET /healthz answered 503 Service Unavailable"
    )
    factories.make_instances(qa, OLD, "qa-4")
    failed = factories.make_deployment(qa, "1.5.0-rc.1", status="FAILED")
    failed.message = (
        "Install: qa-3: systemctl restart storefront ended with 1. Everything was undone."
    )
    failed.code = "STEP_FAILED"
    failed.save()
    staging = factories.make_target(service, _environment("staging-europe-west", service))
    factories.make_deployment(staging, OLD, at=timezone.now() - timedelta(days=40))
    factories.make_instances(staging, OLD, *(f"stage-{n}" for n in range(1, 9)))
    factories.make_deployment(
        staging, NEW, status="RUNNING", at=timezone.now() - timedelta(seconds=23)
    )
    staging.sync_error = "staging-bastion: Connection refused (port 22)"
    staging.synced_at = timezone.now() - timedelta(minutes=37)
    staging.sync_tried_at = timezone.now() - timedelta(minutes=7)
    staging.save()


def _bad_week(shop: scene.Scene) -> None:
    """A rollback at work on thirty hosts, one that is paused, and one that is over."""
    service = factories.make_service(LONG, shop.service.application)
    shop.extra["long"] = service
    target = factories.make_target(service, shop.environment, "payment hosts, Frankfurt and Dublin")
    factories.make_deployment(target, "2026.11.20", at=timezone.now() - timedelta(days=3))
    bad = factories.make_deployment(target, "2026.11.23", at=timezone.now() - timedelta(minutes=9))
    factories.make_instances(target, "2026.11.23", *HOSTS)
    shop.extra["running"] = running = factories.make_rollback(
        bad,
        status="RUNNING",
        note="Customers are charged twice",
        at=timezone.now() - timedelta(seconds=64),
    )
    shop.extra["being rolled back"] = bad
    states = ["DONE"] * 14 + ["UNCHANGED"] * 9 + ["RUNNING"] * 3
    outcomes = {
        key: {"state": state, "message": _SAID[state]}
        for key, state in zip(HOSTS, states, strict=False)
    }
    outcomes[HOSTS[27]] = {"state": "FAILED", "message": "systemctl restart payments ended with 1"}
    outcomes[HOSTS[28]] = {"state": "UNKNOWN", "message": "no answer for 30 s"}
    lines = [f"current -> releases/20-2026.11.20 ({n})" for n in range(40)]
    factories.make_step(running, "Drain", phase="Rollback Canary", instances=HOSTS[:2],
                        outcomes={key: outcomes[key] for key in HOSTS[:2]})  # fmt: skip
    factories.make_step(running, "Undo Install", phase="Rollback All hosts", instances=HOSTS,
                        status="RUNNING", outcomes=outcomes, lines=lines,
                        message="Waiting for 3 hosts to answer their health check")  # fmt: skip
    factories.make_step(running, "Undo Migrate", phase="Rollback All hosts", status="QUEUED")
    _paused(shop)
    _workloads(shop.service)


def _workloads(service: Service) -> None:
    """Two workloads in a cluster: one of a few pods, and one of fifty."""
    place = factories.make_target(service, _environment("cluster-eu", service), "eu-central-1/shop")
    factories.make_deployment(place, NEW, at=timezone.now() - timedelta(hours=2))
    crashed = {"is_healthy": False, "message": "CrashLoopBackOff: exit status 137, 4 restarts"}
    few = factories.make_members(3, NEW, **crashed)
    factories.make_instances(
        place, NEW, "deployment/storefront", members=few, is_healthy=False,
        message="2 of 3 pods are ready",
    )  # fmt: skip
    many = factories.make_members(50, NEW, version=OLD, is_healthy=None, message="Terminating")
    factories.make_instances(place, NEW, "deployment/storefront-workers", members=many)


def _paused(shop: scene.Scene) -> None:
    service = factories.make_service("catalog-api", factories.make_application("Catalog"))
    target = factories.make_target(service, name="api hosts")
    factories.make_deployment(target, "2.8.0")
    bad = factories.make_deployment(target, "2.9.0")
    factories.make_instances(target, "2.8.0", "api-1", "api-2", "api-3")
    shop.extra["paused"] = paused = factories.make_rollback(
        bad, status="PAUSED", code="UNVERIFIED",
        message="Every step is done, but what runs could not be seen on api-3. Resume to look "
        "again, or abort.",
    )  # fmt: skip
    done = {f"api-{n}": {"state": "DONE", "message": _SAID["DONE"]} for n in (1, 2, 3)}
    factories.make_step(paused, "Undo Install", phase="Rollback Install", outcomes=done)
    paused.after = {
        "instances": [
            _seen("api-1", "2.8.0", True, "", "ROLLED_BACK"),
            _seen("api-2", "2.9.0", False, "answers 502", "DIFFERENT"),
            _seen("api-3", "", None, "timed out after 10 s", "UNKNOWN"),
            _seen("api-4", "2.8.0", True, "", "UNTOUCHED"),
        ]
    }
    paused.save()


def _failures(shop: scene.Scene) -> None:
    """A deployment that asks what to do, and a rollback that failed and can be continued."""
    platform = platforms.PLATFORMS["SSH"]
    assert isinstance(platform, lab.Lab)
    asks = {"action": "MANUAL_INTERVENTION", "timeout": 3600, "then": "ROLLBACK_PHASE"}
    retries = {"action": "RETRY", "delay": 0, "then": asks}
    tell: dict[str, object] = {"name": "Take out of the balancer", "kind": lab.Note.kind}
    install: dict[str, object] = {"name": "Install", "kind": lab.Install.kind}
    phases = [
        {
            "name": name,
            "select": {"hosts": hosts},
            "steps": [{**tell, "failure_strategy": "IGNORE"}, install],
            "rollback_steps": [tell, {"undo": "Install"}],
        }
        for name, hosts in (("Canary", ["price-1"]), ("The rest", ["price-2", "price-3"]))
    ]
    service = factories.make_service("prices", shop.service.application)
    connector = shop.infrastructure.connector
    for name in ("asking", "failed"):
        infrastructure = Infrastructure.objects.create(
            environment=shop.environment, name=f"price hosts, {name}", connector=connector,
            settings={"hosts": ["price-1", "price-2", "price-3"]},
        )  # fmt: skip
        workflow = Workflow.objects.create(
            application=service.application, name=f"Deploy prices ({name})", service=service,
            workflow_type="CANARY", infrastructure=infrastructure,
        )  # fmt: skip
        scene.revise(workflow, {"failure_strategy": retries, "phases": phases})
        platform.fleet.broken = {"price-2": "apply"} if name == "asking" else {}
        for version in ("3.0", "3.1"):
            artifact, _ = Artifact.objects.get_or_create(service=service, version=version)
            shop.extra[name] = shop.deploy(
                "", artifact=artifact, workflow=workflow, infrastructure=infrastructure
            )
            if name == "asking":
                break
    platform.fleet.broken = {"price-1": "undo"}
    shop.extra["rollback failed"] = shop.roll_back(shop.extra["failed"])
    platform.fleet.broken = {}


def _seen(
    key: str, version: str, is_healthy: bool | None, message: str, verdict: str
) -> dict[str, object]:
    return {
        "key": key,
        "version": version,
        "identity": f"41-{version}",
        "is_healthy": is_healthy,
        "message": message,
        "verdict": verdict,
        "expected": "2.8.0",
    }


_SAID = {
    "DONE": "current is 20-2026.11.20 again; healthy after 3 s",
    "UNCHANGED": "was already at 20-2026.11.20",
    "RUNNING": "restarted; waiting for its health check",
}


def _crowd(service: Service) -> None:
    """More services, some rolled back, one never deployed."""
    for number, name in enumerate(("basket", "search", "identity-provider", "mailer", "images")):
        each = factories.make_service(name, service.application)
        target = factories.make_target(each, _environment("production", service), f"{name} hosts")
        factories.make_deployment(target, f"{number}.1.0", at=timezone.now() - timedelta(days=9))
        bad = factories.make_deployment(
            target, f"{number}.2.0", at=timezone.now() - timedelta(days=1)
        )
        if number % 2:
            factories.make_rollback(bad, note="Searches find nothing")
        running = Target.objects.get(pk=target.pk).current_deployment
        assert running
        assert running.artifact
        factories.make_instances(target, running.artifact.version, f"{name}-1", f"{name}-2")
    factories.make_service("brand-new", service.application)
    factories.make_person("tester", factories.make_group("QA", Action.READ, production=False))


def rolled_back() -> Deployment:
    """A rollback that is over."""
    return Deployment.objects.filter(rolls_back__isnull=False, status="SUCCEEDED").latest("pk")
