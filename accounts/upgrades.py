"""The upgrade rule: groups that had Execute Workflow get Rollback Workflow too, once.

Used by a migration, with the models as they were then. That it was done is read from the audit
trail, so that running it again changes nothing and what an administrator takes away stays away.
"""

from typing import Any

from accounts import audit
from accounts.vocabulary import Action, Right, Verb

EXECUTE, ROLLBACK = Action.EXECUTE_WORKFLOW.value, Action.ROLLBACK_WORKFLOW.value


def add_rollback_workflow(registry: Any) -> None:
    """Add it to every row that has Execute Workflow, and record it group by group."""
    events = registry.get_model("accounts", "AuditEvent").objects
    done = (Verb.ROLLBACK_ADDED, Verb.ROLLBACK_TAKEN_BACK)
    newest = events.filter(verb__in=done).order_by("-number").first()
    if newest is not None and newest.verb == Verb.ROLLBACK_ADDED:
        return
    for group, rows in _rows_by_group(registry):
        lacking = [row for row in rows if EXECUTE in row.actions and ROLLBACK not in row.actions]
        for row in lacking:
            row.actions = sorted({*row.actions, ROLLBACK})
            row.save(update_fields=["actions"])
        if lacking:
            _remake_grants(registry, group)
            _record(registry, Verb.ROLLBACK_ADDED, group, [row.pk for row in lacking])


def take_rollback_workflow_back(registry: Any) -> None:
    """Take it from the rows it was added to, as far as they still have it."""
    events = registry.get_model("accounts", "AuditEvent").objects
    last = events.filter(verb=Verb.ROLLBACK_TAKEN_BACK).order_by("-number").first()
    added = events.filter(verb=Verb.ROLLBACK_ADDED, number__gt=last.number if last else 0)
    given = {pk for event in added for pk in event.after["rows"]}
    for group, rows in _rows_by_group(registry):
        had = [row for row in rows if row.pk in given and ROLLBACK in row.actions]
        for row in had:
            row.actions = sorted(set(row.actions) - {ROLLBACK})
            row.save(update_fields=["actions"])
        if had:
            _remake_grants(registry, group)
            _record(registry, Verb.ROLLBACK_TAKEN_BACK, group, [row.pk for row in had])


def _rows_by_group(registry: Any) -> Any:
    groups = registry.get_model("accounts", "UserGroup").objects.order_by("pk")
    for group in groups.prefetch_related("app_permissions"):
        yield group, list(group.app_permissions.all())


def _record(registry: Any, verb: Verb, group: Any, rows: list[int]) -> None:
    audit.append(
        registry,
        verb=verb,
        actor_name="upgrade",
        origin="migration",
        subject_type="user group",
        subject_id=str(group.pk),
        subject=group.name,
        after={"rows": rows, "actions": [ROLLBACK]},
    )


def _remake_grants(registry: Any, group: Any) -> None:
    """Rollback Workflow in each environment in which one of the group's rows gives it now."""
    permissions = registry.get_model("auth", "Permission").objects
    permission = permissions.filter(codename=Right.ROLLBACK_WORKFLOW.value).first()
    grants = registry.get_model("accounts", "EnvironmentGrant").objects
    grants.filter(group_id=group.pk, permission=permission).delete()
    covered = {
        environment.pk
        for row in group.app_permissions.all()
        if ROLLBACK in row.actions
        for environment in _covered(registry, row)
    }
    if covered and permission is None:
        raise LookupError("The permission rollback_workflow is missing: run `migrate` again.")
    grants.bulk_create(
        grants.model(group_id=group.pk, permission=permission, content_object_id=pk)
        for pk in sorted(covered)
    )


def _covered(registry: Any, row: Any) -> Any:
    environments = registry.get_model("dashboard", "Environment").objects.all()
    if not row.all_applications:
        chosen = row.applications.values_list("pk", flat=True)
        environments = environments.filter(application__in=list(chosen))
    named = set(row.environments.values_list("pk", flat=True))
    for environment in environments:
        is_production = environment.environment_type == "PRODUCTION"
        by_type = row.production if is_production else row.non_production
        if row.everything or by_type or environment.pk in named:
            yield environment
