"""The operator's commands: audit, permissions, apikey."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts import audit, grants, keys, policy
from accounts.models import (
    ApiKey,
    ApplicationGrant,
    AuditEvent,
    AuditHead,
    EnvironmentGrant,
    UserGroup,
)
from accounts.vocabulary import AccountPermission, Action, Verb
from tests.scene import group, person, scene

pytestmark = pytest.mark.django_db
Output = pytest.CaptureFixture[str]


def tell(count: int) -> None:
    for number in range(count):
        audit.record(Verb.GROUP_CHANGED, actor=None, message=f"event {number}")


def edit() -> None:
    AuditEvent.objects.filter(number=2).update(message="harmless")


def remove() -> None:
    AuditEvent.objects.filter(number=2).delete()


def swap() -> None:
    rows = AuditEvent.objects
    rows.filter(number=2).update(number=99)
    rows.filter(number=3).update(number=2)
    rows.filter(number=99).update(number=3)


def cut_the_end() -> None:
    AuditEvent.objects.filter(number=4).delete()


def cut_the_end_with_care() -> None:
    """Also the head, as somebody would who knows how it is kept."""
    AuditEvent.objects.filter(number=4).delete()
    third = AuditEvent.objects.get(number=3)
    AuditHead.objects.update(number=3, seal="0" * 64)
    assert third.seal


def test_a_whole_trail_is_said_to_be_whole(capsys: Output) -> None:
    tell(4)
    call_command("audit", "verify")
    *_, anchor = capsys.readouterr().out.splitlines()
    tell(2)
    call_command("audit", "verify", anchor=anchor)
    assert "6 rows" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (edit, "Row 2 was changed"),
        (remove, "Row 2 is missing"),
        (swap, "Row 2 was changed or swapped"),
        (cut_the_end, "ends at row 3, but 4 rows were recorded"),
        (cut_the_end_with_care, "does not fit its last row"),
    ],
)
def test_what_was_done_to_the_trail_is_found(tamper: object, said: str, capsys: Output) -> None:
    tell(4)
    tamper()  # type: ignore[operator]
    with pytest.raises(CommandError, match="not what was recorded"):
        call_command("audit", "verify")
    assert said in capsys.readouterr().err


def test_an_anchor_finds_a_trail_that_was_begun_anew(capsys: Output) -> None:
    tell(4)
    call_command("audit", "verify")
    *_, anchor = capsys.readouterr().out.splitlines()
    AuditEvent.objects.all().delete()
    AuditHead.objects.all().delete()
    tell(5)

    call_command("audit", "verify")
    with pytest.raises(CommandError):
        call_command("audit", "verify", anchor=anchor)
    assert "Row 4 is not the one of the anchor" in capsys.readouterr().err
    with pytest.raises(CommandError, match="as verify printed it"):
        call_command("audit", "verify", anchor="4")


def test_the_trail_goes_to_standard_output(capsys: Output) -> None:
    tell(3)
    call_command("audit", "export")
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["number"] for line in lines] == [3, 2, 1]


def test_object_permissions_that_differ_are_named_and_mended(capsys: Output) -> None:
    shop = scene()
    call_command("permissions", "check")
    assert "what the rows say" in capsys.readouterr().out
    engineers = UserGroup.objects.get(name="Engineers")
    given = EnvironmentGrant.objects.filter(
        group=engineers, permission__codename="rollback_workflow"
    )
    permission = given.get().permission
    given.delete()
    viewers = UserGroup.objects.get(name="Viewers")
    EnvironmentGrant.objects.create(
        group=viewers, permission=permission, content_object=shop.environment
    )
    ApplicationGrant.objects.filter(group=viewers).delete()

    with pytest.raises(CommandError, match="3 differ"):
        call_command("permissions", "check")

    said = capsys.readouterr().out
    assert "missing: Engineers: rollback_workflow on Shop / production" in said
    assert "surplus: Viewers: rollback_workflow on Shop / production" in said
    assert "missing: Viewers: view_application on Shop" in said
    call_command("permissions", "rebuild")
    assert "3 mended." in capsys.readouterr().out
    assert not grants.difference()
    assert policy.may_roll_back(shop.engineer, shop.environment)
    newest = AuditEvent.objects.first()
    assert newest is not None
    assert newest.verb == Verb.GRANTS_REBUILT
    assert len(newest.after) == 3
    call_command("permissions", "rebuild")
    assert "Nothing to mend." in capsys.readouterr().out


def test_a_key_is_printed_once_and_lets_in(capsys: Output) -> None:
    robots = group("Robots", Action.READ, account=[AccountPermission.MANAGE_APPLICATIONS])

    call_command("apikey", "create", "ci", "--group", "Robots", "--expires-in", "30")

    printed = capsys.readouterr()
    text = printed.out.strip()
    assert text not in printed.err
    holder = keys.holder(text, timezone.now())
    assert list(holder.groups.values_list("name", flat=True)) == [robots.name]
    assert policy.holds(holder, AccountPermission.MANAGE_APPLICATIONS)
    call_command("apikey", "list")
    listed = capsys.readouterr().out
    assert f"ci\t{ApiKey.objects.get().prefix}\tRobots\tin use" in listed
    assert text.rpartition("_")[2] not in listed

    call_command("apikey", "revoke", "ci")

    with pytest.raises(keys.BadKey):
        keys.holder(text, timezone.now())
    assert [event.verb for event in AuditEvent.objects.all()[:2]] == [
        Verb.KEY_REVOKED,
        Verb.KEY_CREATED,
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["create", "ci", "--group", "Nobody"], "No user group Nobody. There are: Account"),
        (["create", "", "--group", "Robots"], "Give the key a name"),
        (["create", "ci", "--group", "Robots", "--expires-in", "0"], "number of days"),
        (["revoke", "unknown"], "There is no API key unknown"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_to_do(arguments: list[str], said: str) -> None:
    group("Robots", Action.READ)
    with pytest.raises(CommandError, match=said):
        call_command("apikey", *arguments)
    assert not ApiKey.objects.exists()


def test_two_keys_of_one_name_are_refused() -> None:
    group("Robots", Action.READ)
    call_command("apikey", "create", "ci", "--group", "Robots")
    with pytest.raises(CommandError, match="There is an API key named ci already"):
        call_command("apikey", "create", "ci", "--group", "Robots")
    assert person("erin").groups.count() == 0
