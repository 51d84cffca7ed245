"""Finds what ids in a call stand for, or says that there is no such thing."""

from collections.abc import Collection, Sequence

from accounts.api import NotFound, key_of
from accounts.models import ApiKey, User, UserGroup
from accounts.schema.refusals import Path, wrong


def group_of(user_group_id: str) -> UserGroup:
    """The group, with all that it may do. Raises NotFound."""
    found = UserGroup.objects.with_choices().filter(public_id=user_group_id).first()
    if found is None:
        raise NotFound("There is no such user group. Check its id.")
    return found


def person_of(user_id: str) -> User:
    """The person; users of API keys are none. Raises NotFound."""
    found = User.people.filter(pk=key_of(user_id)).first()
    if found is None:
        raise NotFound("There is no such user. Check the id.")
    return found


def api_key_of(uuid: str) -> ApiKey:
    """Raises NotFound."""
    found = ApiKey.objects.select_related("user").filter(prefix=uuid).first()
    if found is None:
        raise NotFound("There is no such API key. Check its uuid.")
    return found


def groups_of(ids: Sequence[str], at: Path) -> list[UserGroup]:
    """Raises BadUserInput naming the ids that stand for nothing."""
    found = {each.public_id: each for each in UserGroup.objects.filter(public_id__in=ids)}
    _require_all(ids, found, at, "user group")
    return list(found.values())


def people_of(ids: Sequence[str], at: Path) -> list[User]:
    """Raises BadUserInput naming the ids that stand for nobody."""
    found = {str(each.pk): each for each in User.people.filter(pk__in=map(key_of, ids))}
    _require_all(ids, found, at, "user")
    return list(found.values())


def _require_all(ids: Sequence[str], found: Collection[str], at: Path, what: str) -> None:
    if unknown := [each for each in ids if each not in found]:
        raise wrong([(at, f"There is no such {what}: {', '.join(unknown)}. Check the ids.")])
