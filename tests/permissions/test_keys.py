"""Acceptance A29: an API key lets a program in with the rights of its groups, until it does not."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import serializers
from django.test import Client
from django.utils import timezone

from accounts import administration, keys, policy
from accounts.keys import BadKey
from accounts.models import ApiKey, User, UserGroup
from accounts.policy import Denied
from accounts.rows import NOTHING
from accounts.vocabulary import AccountPermission, Action, Right
from dashboard.models import Environment
from tests.permissions.conftest import Account
from tests.scene import group, person

NOW = timezone.now()
MANAGE = AccountPermission.MANAGE_APPLICATIONS


def make(account: Account, *groups: UserGroup, **choices: Any) -> tuple[ApiKey, str]:
    return administration.create_key(
        choices.pop("name", "Robot"), groups or [account.viewers], by=choices.pop("by", None),
        now=NOW, **choices,
    )  # fmt: skip


def reached(user: User, right: Right) -> set[int]:
    found = Environment.objects.filter(pk__in=policy.environment_ids(user, right))
    return set(found.values_list("pk", flat=True))


def test_A29_a_key_has_exactly_the_rights_of_its_groups(account: Account) -> None:
    engineers = group("Engineers", Action.ROLLBACK_WORKFLOW, account=[MANAGE], production=False)
    _, text = make(account, account.viewers, engineers)
    robot = keys.holder(text, NOW)
    human = person("human", account.viewers, engineers)
    assert policy.held_by(robot) == policy.held_by(human)
    for right in Right:
        theirs, its = (reached(each, right) for each in (human, robot))
        assert its == theirs
    assert policy.may_roll_back(robot, account.staging)
    assert not policy.may_roll_back(robot, account.production)


def test_A29_a_change_of_its_groups_counts_at_once(account: Account) -> None:
    _, text = make(account)
    administration.set_permissions(account.viewers, NOTHING, by=None)
    assert not policy.may(keys.holder(text, NOW), Right.VIEW_DEPLOYMENTS, account.production)


def test_A29_revoking_a_key_stops_its_access_at_once(account: Account) -> None:
    key, text = make(account)
    inside = keys.holder(text, NOW)
    administration.revoke_key(key, by=account.admin, now=NOW)
    with pytest.raises(BadKey):
        keys.holder(text, NOW)
    still_running = User.objects.get(pk=inside.pk)
    assert not policy.may(still_running, Right.VIEW_DEPLOYMENTS, account.production)


def test_A29_at_the_door_a_revoked_key_is_refused(account: Account) -> None:
    key, text = make(account)
    client = Client(headers={"x-api-key": text})
    assert client.get("/").status_code == 200
    administration.revoke_key(key, by=None, now=NOW)
    assert client.get("/").status_code == 401


def test_an_expired_key_lets_nobody_in(account: Account) -> None:
    _, text = make(account, expires_at=NOW + timedelta(hours=1))
    assert keys.holder(text, NOW + timedelta(minutes=59))
    with pytest.raises(BadKey):
        keys.holder(text, NOW + timedelta(hours=1))


def test_only_the_whole_text_opens(account: Account) -> None:
    _, text = make(account)
    kind, prefix, secret = text.split("_")
    other = "0" if secret[-1] != "0" else "1"
    for wrong in (
        "", "_", "__", kind, f"{kind}_{prefix}", f"{kind}_{prefix}_", f"{kind}__{secret}",
        f"{kind}_{prefix}_{secret[:-1]}", f"{kind}_{prefix}_{secret[:-1]}{other}",
        f"{kind}_{prefix}_{secret}0", f"xyz_{prefix}_{secret}", f"{kind}_{'0' * 12}_{secret}",
        secret, text.upper(), f"{text}\x00", "ключ_з_інших", "a" * 100_000,
    ):  # fmt: skip
        with pytest.raises(BadKey):
            keys.holder(wrong, NOW)
    assert keys.holder(f" {text}\n", NOW), "space around it is no part of it"


def test_what_is_wrong_with_a_key_is_not_said(account: Account) -> None:
    key, text = make(account)
    administration.revoke_key(key, by=None, now=NOW)
    said = set()
    for wrong in (text, "garbage"):
        with pytest.raises(BadKey) as refused:
            keys.holder(wrong, NOW)
        said.add(str(refused.value))
    assert len(said) == 1


def test_its_use_is_noted_once_a_minute(account: Account) -> None:
    key, text = make(account)
    moments = [NOW + timedelta(seconds=seconds) for seconds in (0, 59, 60)]
    noted = []
    for moment in moments:
        keys.holder(text, moment)
        key.refresh_from_db()
        noted.append(key.last_used_at)
    assert noted == [moments[0], moments[0], moments[2]]


def test_a_key_that_is_refused_is_not_noted_as_used(account: Account) -> None:
    key, text = make(account)
    with pytest.raises(BadKey):
        keys.holder(text + "0", NOW)
    key.refresh_from_db()
    assert key.last_used_at is None


def test_of_the_secret_only_the_digest_is_stored(account: Account) -> None:
    key, text = make(account, by=account.admin)
    secret = text.split("_")[2]
    models = (ApiKey, User, *(each.related_model for each in User._meta.related_objects))
    stored = "".join(
        serializers.serialize("json", model._default_manager.all())
        for model in models
        if model is not None and not isinstance(model, str)
    )
    assert key.digest in stored
    assert secret not in stored
    assert len(secret) == 64


def test_deactivating_its_maker_revokes_a_key(account: Account) -> None:
    maker = person("maker", account.admins)
    _, text = make(account, by=maker)
    administration.deactivate(maker, by=account.admin, now=NOW)
    with pytest.raises(BadKey):
        keys.holder(text, NOW)
    administration.reactivate(maker, by=account.admin)
    with pytest.raises(BadKey):
        keys.holder(text, NOW)


def test_a_key_made_with_a_key_goes_with_it(account: Account) -> None:
    """Else who left would keep a key that their key made."""
    maker = person("maker", account.admins)
    _, first = make(account, account.admins, by=maker, name="First")
    _, second = make(account, by=keys.holder(first, NOW), name="Second")
    assert keys.holder(second, NOW)
    administration.deactivate(maker, by=account.admin, now=NOW)
    for text in (first, second):
        with pytest.raises(BadKey):
            keys.holder(text, NOW)


def test_a_key_is_given_what_its_maker_holds(account: Account) -> None:
    with pytest.raises(Denied):
        make(account, group("Executors", Action.EXECUTE_WORKFLOW), by=account.admin)
    assert not ApiKey.objects.exists()
    assert not User.objects.filter(username__startswith="key:").exists()


def test_who_a_key_acts_as_cannot_sign_in(account: Account) -> None:
    key, _ = make(account)
    assert not key.user.has_usable_password()
    assert not Client().login(username=key.user.username, password="")
    assert key.user not in User.people.all()


def test_a_key_does_not_count_as_somebody_who_administers(account: Account) -> None:
    make(account, account.admins)
    with pytest.raises(administration.LastAdministrator):
        administration.deactivate(account.admin, by=None, now=NOW)
