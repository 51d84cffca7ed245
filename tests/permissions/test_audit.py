"""The trail is whole, or says where it is not; also when many write at once."""

import pytest
from django.core.exceptions import FieldError
from django.db import transaction
from django.test import override_settings

from accounts import audit
from accounts.audit import Origin
from accounts.models import AuditEvent, AuditHead, User
from accounts.policy import Denied
from accounts.vocabulary import Verb
from tests.engine.threads import at_once
from tests.scene import person


@pytest.fixture
def trail(db: None) -> None:
    """Five rows."""
    actor = person("admin")
    for number in range(5):
        audit.record(Verb.GROUP_CREATED, actor=actor, subject=actor, after={"number": number})


def faults() -> str:
    return " ".join(audit.faults())


def rows() -> list[AuditEvent]:
    return list(AuditEvent.objects.order_by("number"))


def remove(*numbers: int) -> None:
    """As somebody with the database in hand: rows refuse it."""
    AuditEvent.objects.filter(number__in=numbers)._raw_delete("default")  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_an_empty_trail_is_whole() -> None:
    assert faults() == ""


@pytest.mark.usefixtures("trail")
def test_a_trail_nobody_touched_is_whole() -> None:
    assert faults() == ""
    assert [row.number for row in rows()] == [1, 2, 3, 4, 5]


@pytest.mark.usefixtures("trail")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("actor_name", "somebody else"), ("actor", None), ("origin", "elsewhere"),
        ("verb", Verb.GROUP_DELETED), ("subject", "another"), ("subject_type", "another"),
        ("subject_id", "99"), ("before", {"number": 7}), ("after", {"number": 7}), ("after", None),
        ("message", "A reason."), ("at", "2001-01-01T00:00Z"), ("seal", "0" * 64),
    ],
)  # fmt: skip
def test_an_edited_row_is_found_whatever_was_edited(field: str, value: object) -> None:
    AuditEvent.objects.filter(number=3).update(**{field: value})
    assert "Row 3 was changed" in faults()


@pytest.mark.usefixtures("trail")
@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ((1,), "Row 1 is missing."),
        ((3,), "Row 3 is missing."),
        ((2, 3), "Rows 2 to 3 are missing."),
        ((5,), "The trail ends at row 4, but 5 rows were recorded."),
        ((1, 2, 3, 4, 5), "The trail ends at row 0, but 5 rows were recorded."),
    ],
)
def test_removed_and_truncated_rows_are_found(numbers: tuple[int, ...], sentence: str) -> None:
    remove(*numbers)
    assert sentence in faults()


@pytest.mark.usefixtures("trail")
def test_removing_a_row_and_closing_the_gap_is_found() -> None:
    remove(3)
    for number in (4, 5):
        AuditEvent.objects.filter(number=number).update(number=number - 1)
    AuditHead.objects.update(number=4)
    assert "Row 3 was changed or swapped" in faults()


@pytest.mark.usefixtures("trail")
def test_swapped_rows_are_found() -> None:
    second, third = rows()[1:3]
    AuditEvent.objects.filter(pk=second.pk).update(number=99)
    AuditEvent.objects.filter(pk=third.pk).update(number=2)
    AuditEvent.objects.filter(pk=second.pk).update(number=3)
    assert "Row 2 was changed or swapped" in faults()
    assert "Row 3 was changed or swapped" in faults()


@pytest.mark.usefixtures("trail")
def test_an_invented_row_is_found() -> None:
    last = rows()[-1]
    last.pk, last.number = None, 6
    last.save()
    AuditHead.objects.update(number=6, seal=last.seal)
    assert "Row 6 was changed or swapped" in faults()


@pytest.mark.usefixtures("trail")
def test_a_row_cannot_be_sealed_again_without_the_key() -> None:
    last = rows()[-1]
    last.after = {"number": 7}
    with override_settings(AUDIT_KEY="what a thief would guess"):
        forged = audit.seal(last, rows()[-2].seal)
    AuditEvent.objects.filter(pk=last.pk).update(after=last.after, seal=forged)
    AuditHead.objects.update(seal=forged)
    assert "Row 5 was changed" in faults()


@pytest.mark.usefixtures("trail")
@pytest.mark.parametrize("forged", [{"number": 7}, {"seal": "0" * 64}])
def test_an_edited_end_is_found(forged: dict[str, object]) -> None:
    AuditHead.objects.update(**forged)
    assert "trail" in faults()


@pytest.mark.usefixtures("trail")
def test_the_end_cannot_just_be_thrown_away() -> None:
    AuditHead.objects.all().delete()
    assert "The trail ends at row 5, but 0 rows were recorded." in faults()


@pytest.mark.usefixtures("trail")
def test_rows_are_neither_saved_again_nor_deleted() -> None:
    row = rows()[0]
    with pytest.raises(TypeError):
        row.save()
    with pytest.raises(TypeError):
        row.delete()


@pytest.mark.django_db
def test_a_row_says_who_what_and_from_where() -> None:
    actor = person("ada", first_name="Ada", last_name="Lovelace")
    with audit.coming_from(Origin("192.0.2.7")):
        audit.record(Verb.USER_CHANGED, actor=actor, subject=actor, before={"a": 1}, message="Why.")
    audit.record(Verb.GRANTS_REBUILT, actor=None)
    said, command = rows()
    assert (said.actor_name, said.origin, said.subject) == ("Ada Lovelace", "192.0.2.7", "ada")
    assert (said.subject_type, said.subject_id) == ("user", str(actor.pk))
    assert (command.actor, command.actor_name) == (None, "operator")
    assert command.origin == "command line"


@pytest.mark.django_db
def test_texts_are_cut_to_what_their_columns_hold() -> None:
    """SQLite would keep more; PostgreSQL would refuse, and with it what was to be recorded."""
    actor = person("x" * 150, first_name="y" * 150, last_name="z" * 150)
    with audit.coming_from(Origin("o" * 500)):
        audit.record(Verb.USER_CHANGED, actor=actor, subject=actor)
    (row,) = rows()
    row.full_clean(exclude=["before", "after", "seal"], validate_unique=False)
    assert faults() == ""


@pytest.mark.django_db
def test_of_attempts_within_attempts_a_refusal_is_recorded_once() -> None:
    actor = person("member")
    with (
        pytest.raises(Denied),
        audit.attempt(actor, "Outer", None, Denied),
        audit.attempt(actor, "Inner", None, Denied),
    ):
        raise Denied("No.")
    (row,) = rows()
    assert (row.verb, row.message) == (Verb.REFUSED, "Outer: No.")


@pytest.mark.django_db
def test_what_is_no_refusal_is_not_recorded_as_one() -> None:
    actor = person("member")
    with pytest.raises(FieldError), audit.attempt(actor, "It", None, Denied):
        raise FieldError("A fault of ours.")
    assert rows() == []


@pytest.mark.django_db(transaction=True)
def test_many_who_write_at_once_keep_the_trail_whole() -> None:
    """Eight of them, each ten rows, some of which are rolled back."""
    actor = person("admin")

    def write(number: int) -> None:
        mine = User.objects.get(pk=actor.pk)
        for turn in range(10):
            with transaction.atomic():
                audit.record(Verb.GROUP_CREATED, actor=mine, after={"by": number, "turn": turn})
                transaction.set_rollback(turn % 5 == 4)

    for future in at_once(8, write):
        future.result()
    assert faults() == ""
    assert [row.number for row in rows()] == list(range(1, 65))
