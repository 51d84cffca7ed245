"""`make bench`: asking who may do what among 10,000 environments and 100 user groups.

Our one query is measured beside the way of the rival in the same run: one question to guardian for
each row of a page. In a database of its own, which is thrown away; LASTGOOD_DATABASE_URL says on
which server.
"""

import sys
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from guardian.core import ObjectPermissionChecker
from guardian.shortcuts import get_objects_for_user

from accounts import grants, policy
from accounts.models import AppPermission, EnvironmentGrant, User, UserGroup
from accounts.vocabulary import AccountPermission, Action, PermissionType, Right
from dashboard.models import Application, Connector, Environment, Infrastructure, Service, Target
from tests.scene import person

APPLICATIONS, EACH, GROUPS, PAGE = 100, 100, 100, 50
RIGHT = Right.ROLLBACK_WORKFLOW
TIMES_FASTER = 25
ACTIONS = [Action.READ.value, Action.EXECUTE_WORKFLOW.value, Action.ROLLBACK_WORKFLOW.value]


@pytest.mark.django_db
def test_a_page_of_50_rows_is_decided_25_times_faster_than_row_by_row() -> None:
    environments = fill()
    groups = UserGroup.objects.filter(name__startswith="group").order_by("name")
    actor = person("engineer", *groups[:5])
    page = page_of(environments, actor)
    ratio = compare(actor, page)
    report_cost_of_change(environments)
    assert ratio >= TIMES_FASTER


# ------------------------------------------------------------------------------- what is asked


def compare(actor: User, page: Sequence[Environment]) -> float:
    """The table; how many times faster ours is for the page."""
    perm = f"dashboard.{RIGHT.value}"

    def ours(user: User) -> set[int]:
        return reached(user, [each.pk for each in page])

    def checker(user: User) -> set[int]:
        asked = ObjectPermissionChecker(user)
        return {each.pk for each in page if asked.has_perm(RIGHT.value, each)}

    def has_perm(user: User) -> set[int]:
        return {each.pk for each in page if user.has_perm(perm, each)}

    def all_of_guardians(user: User) -> set[int]:
        found = get_objects_for_user(user, perm, accept_global_perms=False)
        return set(found.values_list("pk", flat=True))

    title(f"Which of a page's {PAGE} rows may this person roll back? (5 of {GROUPS} groups)")
    mine = line("one query over object permissions (ours)", ours, actor, 50)
    theirs = line("guardian's checker, row by row", checker, actor, 10, mine)
    line("user.has_perm(…, row), row by row", has_perm, actor, 10, mine)
    title(f"Which of all {APPLICATIONS * EACH:,} environments?")
    whole = line("one query over object permissions (ours)", reached, actor, 20)
    line("guardian's get_objects_for_user", all_of_guardians, actor, 20, whole)
    assert ours(actor) == checker(actor) == has_perm(actor)
    assert reached(actor) == all_of_guardians(actor)
    report_pages(actor)
    return theirs / mine


def reached(actor: User, among: Sequence[int] | None = None) -> set[int]:
    """Where the actor has the right, of these or of all."""
    found = Environment.objects.filter(pk__in=policy.environment_ids(actor, RIGHT)).order_by()
    found = found if among is None else found.filter(pk__in=among)
    return set(found.values_list("pk", flat=True))


def fresh(actor: User) -> User:
    """As each request loads it: nothing is remembered."""
    return User.objects.get(pk=actor.pk)


def report_pages(actor: User) -> None:
    client = Client()
    client.force_login(actor)
    title("Pages")
    line(f"services page with {PAGE} rows", lambda _: client.get("/"), actor, 10)


def report_cost_of_change(environments: Sequence[Environment]) -> None:
    """What a change costs whoever makes it."""
    title("Changes")
    one, whole = environments[0], UserGroup.objects.get(name="in everything")
    EnvironmentGrant.objects.filter(content_object=one).delete()
    once(f"make one environment's grants for {GROUPS} groups", environment=one)
    once("find nothing to do for it", environment=one)
    EnvironmentGrant.objects.filter(group=whole).delete()
    once(f"make one group's grants over {len(environments):,} environments", group=whole)
    once("find nothing to do for it", group=whole)


def once(name: str, **where: Any) -> None:
    line(name, lambda _: grants.materialise(**where), User(), 1)


# ------------------------------------------------------------------------------- what is there


def fill() -> list[Environment]:
    """Groups that hold some applications' production, some environments by name, or everything."""
    applications = Application.objects.bulk_create(
        Application(name=f"application {number:03}") for number in range(APPLICATIONS)
    )
    environments = Environment.objects.bulk_create(
        Environment(
            application=application,
            name=f"environment {number:03}",
            environment_type="PRODUCTION" if number % 2 else "NON_PRODUCTION",
        )
        for application in applications
        for number in range(EACH)
    )
    for number in range(GROUPS - 1):
        fill_group(number, applications, environments)
    every = UserGroup.objects.create(name="in everything")
    make_row(every, all_applications=True, production=True, non_production=True)
    began = perf_counter()
    grants.materialise()
    tell(
        f"{len(environments):,} environments, {GROUPS} groups, {EnvironmentGrant.objects.count():,}"
        f" object permissions on {connection.vendor}, made in {perf_counter() - began:.1f} s\n"
    )
    return environments


def fill_group(
    number: int, applications: Sequence[Application], environments: Sequence[Environment]
) -> None:
    account = [AccountPermission.MANAGE_APPLICATIONS.value]
    made = UserGroup.objects.create(name=f"group {number:03}", account_permissions=account)
    first = number % (APPLICATIONS - 8)
    row = make_row(made, production=True)
    row.applications.set(applications[first : first + 8])
    named = make_row(made, all_applications=True)
    named.environments.set(environments[number :: len(environments) // 50])


def make_row(made: UserGroup, **choices: bool) -> AppPermission:
    return AppPermission.objects.create(
        user_group=made, permission_type=PermissionType.DEPLOYMENT, actions=ACTIONS, **choices
    )


def page_of(environments: Sequence[Environment], actor: User) -> list[Environment]:
    """The environments of a page: as many that the person may roll back in as others."""
    pks = reached(actor)
    allowed = [each for each in environments if each.pk in pks][: PAGE // 2]
    others = [each for each in environments if each.pk not in pks][: PAGE // 2]
    page = [*allowed, *others]
    connector = Connector.objects.create(name="hosts", deployment_type="SSH")
    for number, environment in enumerate(page):
        service = Service.objects.create(
            application=allowed[0].application, name=f"service {number}", deployment_type="SSH"
        )
        where = Infrastructure.objects.create(
            environment=environment, name="hosts", connector=connector
        )
        Target.objects.create(service=service, infrastructure=where)
    return page


# ------------------------------------------------------------------------------ how it is told


def tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def title(text: str) -> None:
    tell(f"\n{text}\n{'':<58}{'queries':>8}{'ms':>11}{'times ours':>12}")


def queries(work: Callable[[User], object], actor: User) -> int:
    """Counted apart: counting takes time."""
    user = fresh(actor)
    with CaptureQueriesContext(connection) as asked:
        work(user)
    return len(asked)


def line(
    name: str, work: Callable[[User], object], actor: User, repeats: int, ours: float | None = None
) -> float:
    """One line of the table; the best of so many, in seconds. Other things run on the machine."""
    seconds = []
    for _ in range(repeats):
        user = fresh(actor) if actor.pk else actor
        began = perf_counter()
        work(user)
        seconds.append(perf_counter() - began)
    best = min(seconds)
    ratio = f"{best / ours:.0f} x" if ours else ""
    count = queries(work, actor) if repeats > 1 else ""
    tell(f"  {name:<56}{count:>8}{best * 1000:>11.1f}{ratio:>12}")
    return best
