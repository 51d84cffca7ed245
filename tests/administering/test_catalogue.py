"""What of the catalogue somebody may see and edit in the admin: what one of their rows says."""

from itertools import product
from typing import Any

import pytest
from django.test import Client

from accounts import grants
from accounts.models import User
from accounts.rows import Permissions, Row, Scope
from accounts.vocabulary import AccountPermission, Action, PermissionType
from dashboard.editing import Editor
from dashboard.models import Application, Environment, Infrastructure, Service, Workflow
from tests.administering.conftest import SignIn, address, errors, shown, verbs
from tests.scene import Scene, group, person

pytestmark = pytest.mark.django_db
EDIT = frozenset({Action.CREATE, Action.READ, Action.UPDATE, Action.DELETE})


@pytest.fixture
def other(shop: Scene) -> Application:
    return Application.objects.create(name="Other")


@pytest.fixture
def staging(shop: Scene) -> Environment:
    return Environment.objects.create(
        application=shop.service.application, name="staging", environment_type="NON_PRODUCTION"
    )


def editor(name: str, *rows: Row, account: tuple[AccountPermission, ...] = ()) -> User:
    """Somebody with these rows."""
    made = group(name, account=account)
    for row in rows:
        stored = made.app_permissions.create(
            permission_type=row.permission_type,
            actions=sorted(action.value for action in row.actions),
            all_applications=row.applications is None,
            everything=Scope.EVERYTHING in row.scopes,
            production=Scope.PRODUCTION in row.scopes,
            non_production=Scope.NON_PRODUCTION in row.scopes,
            templates=Scope.TEMPLATES in row.scopes,
        )
        stored.applications.set(row.applications or ())
        stored.environments.set(row.environments)
        stored.services.set(row.services)
    grants.materialise(group=made)
    return person(name, made)


def row(kind: PermissionType, *scopes: Scope, **rest: Any) -> Row:
    return Row(
        kind, rest.pop("actions", EDIT), rest.pop("applications", None), frozenset(scopes), **rest
    )


def test_list_and_question_say_the_same(
    shop: Scene, other: Application, staging: Environment
) -> None:
    """For every row out of many: what the list has is what the question allows."""
    app = shop.service.application
    Service.objects.create(application=other, name="x", deployment_type="SSH", artifact_type="ZIP")
    far = Environment.objects.create(application=other, name="p", environment_type="PRODUCTION")
    for where in (staging, far):
        Infrastructure.objects.create(
            environment=where, name="hosts", connector=shop.infrastructure.connector
        )
    shop.artifact("1.0")
    for where in (None, *Infrastructure.objects.exclude(pk=shop.infrastructure.pk)):
        Workflow.objects.create(
            application=where.environment.application if where else app,
            name=f"To {where.pk if where else 'anywhere'}",
            workflow_type="BASIC",
            service=shop.service,
            infrastructure=where,
        )
    models = (Service, Environment, Infrastructure, Workflow, shop.artifact("1.0").__class__)
    scopes = [frozenset(), *(frozenset({each}) for each in Scope)]
    rows = [
        Row(kind, EDIT, applications, chosen, environments, services)
        for kind, applications, chosen, environments, services in product(
            (PermissionType.SERVICE, PermissionType.ENV, PermissionType.WORKFLOW),
            (None, frozenset({app.pk}), frozenset({other.pk})),
            scopes,
            (frozenset(), frozenset({staging.pk})),
            (frozenset(), frozenset({shop.service.pk})),
        )
    ]
    assert len(rows) > 150
    some = 0
    for each, model in product(rows, models):
        asked = Editor.of(Permissions(rows=(each,)))
        listed = set(asked.things(model, Action.UPDATE))
        allowed = {
            thing for thing in model._default_manager.all() if asked.may(Action.UPDATE, thing)
        }
        assert listed == allowed, (each, model)
        some += bool(listed)
    assert some > 100


def test_several_rows_add_up(shop: Scene, staging: Environment) -> None:
    rows = (
        row(PermissionType.ENV, Scope.PRODUCTION),
        row(PermissionType.ENV, environments=frozenset({staging.pk})),
        row(PermissionType.SERVICE, Scope.EVERYTHING),
    )
    found = Editor.of(Permissions(rows=rows))
    assert set(found.things(Environment, Action.UPDATE)) == {shop.environment, staging}


def test_one_row_must_match_on_every_dimension(
    shop: Scene, other: Application, sign_in: SignIn
) -> None:
    """Services of Shop from one row, environments of Other from another: no environment of Shop."""
    app = frozenset({shop.service.application.pk})
    editor(
        "erin",
        row(PermissionType.SERVICE, Scope.EVERYTHING, applications=app),
        row(PermissionType.ENV, Scope.EVERYTHING, applications=frozenset({other.pk})),
    )
    erin = sign_in("erin")
    assert erin.get(address(shop.service)).status_code == 200
    assert erin.get(address(shop.environment)).status_code == 302


def test_only_what_may_be_added_to_is_offered(
    shop: Scene, other: Application, sign_in: SignIn
) -> None:
    rows = row(PermissionType.SERVICE, Scope.EVERYTHING, applications=frozenset({other.pk}))
    editor("erin", rows)
    form = sign_in("erin").get(address(Service, "add")).context["adminform"].form
    assert list(form.fields["application"].queryset) == [other]


def test_an_environment_of_the_wrong_type_is_refused_and_nothing_is_lost(
    shop: Scene, sign_in: SignIn
) -> None:
    editor("erin", row(PermissionType.ENV, Scope.NON_PRODUCTION))
    erin, app = sign_in("erin"), shop.service.application
    fields = {"application": app.pk, "name": "qa", "environment_type": "PRODUCTION"}

    response = erin.post(address(Environment, "add"), fields)

    assert "Create on Environments for production in Shop" in errors(response)["__all__"]
    assert 'value="qa"' in response.text
    assert verbs() == ["REFUSED"]
    fields["environment_type"] = "NON_PRODUCTION"
    assert erin.post(address(Environment, "add"), fields).status_code == 302


def test_retyping_gives_nobody_what_the_mover_lacks(
    shop: Scene, staging: Environment, sign_in: SignIn
) -> None:
    group("Night shift", Action.ROLLBACK_WORKFLOW, non_production=False)
    editor("erin", row(PermissionType.ENV, Scope.EVERYTHING))
    erin = sign_in("erin")
    fields = shown(erin, address(staging)) | {"environment_type": "PRODUCTION"}

    response = erin.post(address(staging), fields)

    assert "would gain" in errors(response)["__all__"]
    staging.refresh_from_db()
    assert staging.environment_type == "NON_PRODUCTION"
    editor("chief", row(PermissionType.ALL, Scope.EVERYTHING, actions=frozenset(Action)))
    response = sign_in("chief").post(address(staging), fields)
    assert response.status_code == 302, errors(response)


def test_a_workflow_is_not_moved_where_one_may_not_edit(
    shop: Scene, staging: Environment, sign_in: SignIn
) -> None:
    shop.workflow.infrastructure = Infrastructure.objects.create(
        environment=staging,
        name="hosts",
        connector=shop.infrastructure.connector,
        settings=shop.infrastructure.settings,
    )
    shop.workflow.save()
    editor(
        "erin",
        row(PermissionType.WORKFLOW, Scope.NON_PRODUCTION),
        row(PermissionType.ENV, Scope.EVERYTHING),
        row(PermissionType.SERVICE, Scope.EVERYTHING),
    )
    erin = sign_in("erin")
    fields = shown_workflow(erin, shop.workflow) | {"infrastructure": shop.infrastructure.pk}
    response = erin.post(address(shop.workflow), fields)
    assert "Update on Workflows for Shop / production" in refusal(response)
    shop.workflow.refresh_from_db()
    assert shop.workflow.infrastructure
    assert shop.workflow.infrastructure.environment == staging


def shown_workflow(client: Client, workflow: Workflow) -> dict[str, Any]:
    form = client.get(address(workflow)).context["adminform"].form
    fields = {field.html_name: field.value() for field in form if field.value() is not None}
    return fields | {"revisions-TOTAL_FORMS": 0, "revisions-INITIAL_FORMS": 0}


def refusal(response: Any) -> str:
    return str(response.context["adminform"].form.errors)


def test_who_may_not_update_does_not_archive(shop: Scene, sign_in: SignIn) -> None:
    looks = row(PermissionType.WORKFLOW, Scope.EVERYTHING, actions=frozenset({Action.READ}))
    edits = row(PermissionType.WORKFLOW, Scope.NON_PRODUCTION)
    editor("erin", looks, edits)
    sign_in("erin").post(
        address(Workflow, "changelist"),
        {"action": "archive", "_selected_action": [shop.workflow.pk]},
    )
    shop.workflow.refresh_from_db()
    assert shop.workflow.archived_at is None


def test_manage_applications_adds_what_one_then_may_not_see(shop: Scene, sign_in: SignIn) -> None:
    editor("erin", account=(AccountPermission.MANAGE_APPLICATIONS,))
    erin = sign_in("erin")
    assert erin.post(address(Application, "add"), {"name": "New"}).status_code == 302
    assert erin.get(address(Application.objects.get(name="New"))).status_code == 302
    assert "Shop" not in erin.get(address(Application, "changelist")).text
