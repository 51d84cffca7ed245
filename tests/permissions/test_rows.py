"""A row says what it covers, what makes no sense in it, and what somebody lacks to give it."""

from collections.abc import Set

import pytest

from accounts.rows import Catalogue, Permissions, Place, Row, Scope
from accounts.vocabulary import AccountPermission, Action, PermissionType

SHOP, BANK = 1, 2
PRODUCTION, STAGING, VAULT = 11, 12, 21
STOREFRONT, LEDGER = 31, 32
CATALOGUE = Catalogue(
    environments={
        PRODUCTION: Place(SHOP, is_production=True),
        STAGING: Place(SHOP, is_production=False),
        VAULT: Place(BANK, is_production=True),
    },
    services={STOREFRONT: SHOP, LEDGER: BANK},
)
ALL, SERVICE, ENV = PermissionType.ALL, PermissionType.SERVICE, PermissionType.ENV
WORKFLOW, PIPELINE = PermissionType.WORKFLOW, PermissionType.PIPELINE
DEPLOYMENT, TEMPLATE = PermissionType.DEPLOYMENT, PermissionType.TEMPLATE
READ, UPDATE, EXECUTE = Action.READ, Action.UPDATE, Action.EXECUTE_WORKFLOW
BACK, ABORT = Action.ROLLBACK_WORKFLOW, Action.ABORT_WORKFLOW


def row(
    kind: PermissionType,
    *actions: Action,
    applications: Set[int] | None = None,
    scopes: Set[Scope] = frozenset(),
    environments: Set[int] = frozenset(),
    services: Set[int] = frozenset(),
) -> Row:
    chosen = None if applications is None else frozenset(applications)
    return Row(
        kind, frozenset(actions), chosen, frozenset(scopes), frozenset(environments),
        frozenset(services),
    )  # fmt: skip


EVERYTHING, PROD, NON_PROD = {Scope.EVERYTHING}, {Scope.PRODUCTION}, {Scope.NON_PRODUCTION}
TEMPLATES = {Scope.TEMPLATES}

SENSIBLE = [
    row(ALL, READ, BACK, scopes=EVERYTHING),
    row(ALL, BACK, scopes=NON_PROD),
    row(SERVICE, UPDATE, services={STOREFRONT}),
    row(ENV, UPDATE, scopes=PROD, environments={STAGING}),
    row(WORKFLOW, UPDATE, scopes=TEMPLATES | PROD),
    row(PIPELINE, READ, applications={SHOP}, scopes=PROD),
    row(PermissionType.PROVISIONER, READ, scopes=EVERYTHING),
    row(TEMPLATE, READ, scopes=EVERYTHING),
    row(DEPLOYMENT, BACK, applications={SHOP}, environments={PRODUCTION}),
]
SENSELESS = [
    (row(DEPLOYMENT, scopes=PROD), "actions", "at least one"),
    (row(SERVICE, BACK, scopes=EVERYTHING), "actions", "not an action of type SERVICE"),
    (row(DEPLOYMENT, UPDATE, scopes=PROD), "actions", "not an action of type DEPLOYMENT"),
    (row(DEPLOYMENT, BACK, applications=set(), scopes=PROD), "applications", "Choose applications"),
    (row(DEPLOYMENT, BACK), "filter", "production or non-production"),
    (row(ALL, BACK), "filter", "for which environments"),
    (row(SERVICE, UPDATE), "filter", "Choose services"),
    (row(TEMPLATE, UPDATE), "filter", "choose all"),
    (row(DEPLOYMENT, BACK, scopes=EVERYTHING | PROD), "filter", "not both"),
    (row(SERVICE, UPDATE, scopes=EVERYTHING, services={LEDGER}), "filter", "not both"),
    (row(DEPLOYMENT, BACK, scopes=PROD, services={LEDGER}), "filter", "Services cannot"),
    (row(SERVICE, UPDATE, scopes=PROD), "filter", "Environments cannot"),
    (row(SERVICE, UPDATE, environments={VAULT}), "filter", "Environments cannot"),
    (row(TEMPLATE, UPDATE, scopes=NON_PROD), "filter", "Environments cannot"),
    (row(DEPLOYMENT, BACK, scopes=TEMPLATES), "filter", "templates cannot"),
    (row(ALL, BACK, scopes=TEMPLATES | PROD), "filter", "templates cannot"),
]


@pytest.mark.parametrize("sensible", SENSIBLE, ids=lambda each: each.permission_type.name)
def test_a_row_that_makes_sense_has_no_problems(sensible: Row) -> None:
    assert list(sensible.problems()) == []


@pytest.mark.parametrize(("senseless", "field", "words"), SENSELESS)
def test_what_makes_no_sense_is_said_at_its_field(senseless: Row, field: str, words: str) -> None:
    assert any(name == field and words in said for name, said in senseless.problems())


def test_managing_users_needs_viewing_them_too() -> None:
    manage = AccountPermission.MANAGE_USERS_AND_GROUPS
    alone = Permissions(frozenset({manage}))
    assert [field for field, _ in alone.problems()] == ["account_permissions"]
    both = Permissions(frozenset({manage, AccountPermission.READ_USERS_AND_GROUPS}))
    assert list(both.problems()) == []


def test_what_is_chosen_must_be_of_a_chosen_application() -> None:
    chosen = row(DEPLOYMENT, BACK, applications={SHOP}, environments={PRODUCTION, VAULT})
    assert chosen.strangers(CATALOGUE) == {VAULT}
    services = row(SERVICE, READ, applications={SHOP}, services={STOREFRONT, LEDGER})
    assert services.strangers(CATALOGUE) == {LEDGER}
    anywhere = row(DEPLOYMENT, BACK, environments={PRODUCTION, VAULT})
    assert anywhere.strangers(CATALOGUE) == frozenset()


def test_a_row_of_a_single_type_is_what_it_is() -> None:
    single = row(DEPLOYMENT, BACK, scopes=NON_PROD)
    assert list(single.concrete()) == [single]


def test_the_filter_of_all_types_narrows_what_is_done_and_not_looking_or_editing() -> None:
    by_type = {
        each.permission_type: each
        for each in row(ALL, UPDATE, READ, BACK, scopes=NON_PROD).concrete()
        if BACK not in each.actions
    }
    (doing,) = [
        each for each in row(ALL, UPDATE, READ, BACK, scopes=NON_PROD).concrete()
        if BACK in each.actions
    ]  # fmt: skip
    assert doing == row(DEPLOYMENT, BACK, scopes=NON_PROD)
    assert set(by_type) == set(PermissionType) - {ALL}
    assert all(each.scopes == EVERYTHING for each in by_type.values())
    assert by_type[DEPLOYMENT].actions == {READ}
    assert by_type[SERVICE].actions == {READ, UPDATE}


def test_all_types_without_read_do_not_look_at_deployments() -> None:
    kinds = {each.permission_type for each in row(ALL, UPDATE, scopes=EVERYTHING).concrete()}
    assert DEPLOYMENT not in kinds


@pytest.mark.parametrize(
    ("covering", "covered"),
    [
        (row(DEPLOYMENT, BACK, scopes=EVERYTHING), {PRODUCTION, STAGING, VAULT}),
        (row(DEPLOYMENT, BACK, scopes=PROD), {PRODUCTION, VAULT}),
        (row(DEPLOYMENT, BACK, scopes=NON_PROD), {STAGING}),
        (row(DEPLOYMENT, BACK, scopes=PROD | NON_PROD), {PRODUCTION, STAGING, VAULT}),
        (row(DEPLOYMENT, BACK, applications={SHOP}, scopes=PROD), {PRODUCTION}),
        (row(DEPLOYMENT, BACK, environments={VAULT}), {VAULT}),
        (row(DEPLOYMENT, BACK, applications={SHOP}, environments={VAULT}), set()),
        (row(DEPLOYMENT, BACK, scopes=NON_PROD, environments={VAULT}), {STAGING, VAULT}),
        (row(DEPLOYMENT, BACK), set()),
        (row(DEPLOYMENT, BACK, applications=set(), scopes=EVERYTHING), set()),
    ],
)
def test_a_row_covers_what_it_matches_on_every_dimension(covering: Row, covered: Set[int]) -> None:
    found = {pk for pk, place in CATALOGUE.environments.items() if covering.covers(pk, place)}
    assert found == covered


@pytest.mark.parametrize(
    ("showing", "seen"),
    [
        (row(DEPLOYMENT, READ, scopes=PROD), {SHOP, BANK}),
        (row(DEPLOYMENT, READ, applications={SHOP}, scopes=PROD), {SHOP}),
        (row(DEPLOYMENT, READ, environments={VAULT}), {BANK}),
        (row(SERVICE, READ, services={STOREFRONT}), {SHOP}),
        (row(SERVICE, READ, scopes=EVERYTHING, applications={BANK}), {BANK}),
        (row(DEPLOYMENT, READ, scopes=NON_PROD, environments={VAULT}), {SHOP, BANK}),
        (row(DEPLOYMENT, READ, environments={99}), set()),
    ],
)
def test_a_row_shows_the_applications_it_reaches(showing: Row, seen: Set[int]) -> None:
    assert showing.visible_applications({SHOP, BANK}, CATALOGUE) == seen


HELD_AND_GIVEN = [
    ("itself", row(ENV, UPDATE, scopes=PROD), row(ENV, UPDATE, scopes=PROD), True),
    ("another action", row(ENV, UPDATE, scopes=PROD), row(ENV, READ, scopes=PROD), False),
    ("another type", row(ENV, UPDATE, scopes=PROD), row(WORKFLOW, UPDATE, scopes=PROD), False),
    ("one of all applications",
     row(ENV, READ, scopes=PROD), row(ENV, READ, applications={SHOP}, scopes=PROD), True),
    ("all applications, holding each there is",
     row(ENV, READ, applications={SHOP, BANK}, scopes=PROD), row(ENV, READ, scopes=PROD), False),
    ("an environment of the class held",
     row(DEPLOYMENT, BACK, scopes=PROD), row(DEPLOYMENT, BACK, environments={VAULT}), True),
    ("an environment of the other class",
     row(DEPLOYMENT, BACK, scopes=PROD), row(DEPLOYMENT, BACK, environments={STAGING}), False),
    ("a class, holding each environment there is",
     row(DEPLOYMENT, BACK, environments={PRODUCTION, VAULT}),
     row(DEPLOYMENT, BACK, scopes=PROD), False),
    ("everything, holding both classes",
     row(DEPLOYMENT, BACK, scopes=PROD | NON_PROD), row(DEPLOYMENT, BACK, scopes=EVERYTHING), True),
    ("both classes, holding everything",
     row(DEPLOYMENT, BACK, scopes=EVERYTHING), row(DEPLOYMENT, BACK, scopes=PROD | NON_PROD), True),
    ("every workflow, holding both classes but not templates",
     row(WORKFLOW, UPDATE, scopes=PROD | NON_PROD), row(WORKFLOW, UPDATE, scopes=EVERYTHING),
     False),
    ("templates, holding every workflow",
     row(WORKFLOW, UPDATE, scopes=EVERYTHING), row(WORKFLOW, UPDATE, scopes=TEMPLATES), True),
    ("one service of all",
     row(SERVICE, UPDATE, scopes=EVERYTHING), row(SERVICE, UPDATE, services={LEDGER}), True),
    ("all services, holding each there is",
     row(SERVICE, UPDATE, services={STOREFRONT, LEDGER}), row(SERVICE, UPDATE, scopes=EVERYTHING),
     False),
    ("looking, holding rolling back",
     row(DEPLOYMENT, BACK, scopes=PROD), row(DEPLOYMENT, READ, scopes=PROD), True),
    ("aborting, holding executing",
     row(DEPLOYMENT, EXECUTE, scopes=PROD), row(DEPLOYMENT, ABORT, scopes=PROD), True),
    ("rolling back, holding executing",
     row(DEPLOYMENT, EXECUTE, scopes=PROD), row(DEPLOYMENT, BACK, scopes=PROD), False),
    ("aborting, holding rolling back",
     row(DEPLOYMENT, BACK, scopes=PROD), row(DEPLOYMENT, ABORT, scopes=PROD), False),
    ("executing pipelines, holding executing workflows",
     row(DEPLOYMENT, EXECUTE, scopes=PROD),
     row(DEPLOYMENT, Action.EXECUTE_PIPELINE, scopes=PROD), False),
    ("deployments, holding all types",
     row(ALL, BACK, scopes=EVERYTHING), row(DEPLOYMENT, BACK, scopes=PROD), True),
    ("production, holding all types narrowed to non-production",
     row(ALL, BACK, scopes=NON_PROD), row(DEPLOYMENT, BACK, scopes=PROD), False),
    ("all services, holding all types narrowed to non-production",
     row(ALL, UPDATE, scopes=NON_PROD), row(SERVICE, UPDATE, scopes=EVERYTHING), True),
    ("all types, holding deployments only",
     row(DEPLOYMENT, READ, scopes=EVERYTHING), row(ALL, READ, scopes=EVERYTHING), False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("held", "given", "is_held"),
    [each[1:] for each in HELD_AND_GIVEN],
    ids=[each[0] for each in HELD_AND_GIVEN],
)
def test_only_what_is_held_is_given(held: Row, given: Row, is_held: bool) -> None:
    excess = Permissions(rows=(given,)).beyond(Permissions(rows=(held,)), CATALOGUE)
    assert bool(excess) != is_held


def test_what_two_rows_hold_together_is_given_in_one() -> None:
    halves = (row(DEPLOYMENT, BACK, scopes=PROD), row(DEPLOYMENT, BACK, scopes=NON_PROD))
    whole = Permissions(rows=(row(DEPLOYMENT, BACK, scopes=EVERYTHING),))
    assert not whole.beyond(Permissions(rows=halves), CATALOGUE)


def test_dimensions_of_two_rows_are_not_combined_into_a_third() -> None:
    crossed = (
        row(DEPLOYMENT, BACK, applications={SHOP}, scopes=NON_PROD),
        row(DEPLOYMENT, BACK, applications={BANK}, scopes=PROD),
    )
    wanted = Permissions(rows=(row(DEPLOYMENT, BACK, applications={SHOP}, scopes=PROD),))
    assert wanted.beyond(Permissions(rows=crossed), CATALOGUE)


def test_each_account_permission_is_held_by_itself() -> None:
    manage, audits = AccountPermission.MANAGE_APPLICATIONS, AccountPermission.VIEW_AUDITS
    excess = Permissions(frozenset({manage, audits})).beyond(
        Permissions(frozenset({manage})), CATALOGUE
    )
    assert excess.account == {audits}
    assert excess.atoms == frozenset()
