"""`manage.py apikey`: keys for programs, made and revoked by whoever runs the server."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import administration
from accounts.models import ApiKey, UserGroup


class Command(BaseCommand):
    help = "Create, list and revoke API keys."

    def add_arguments(self, parser: ArgumentParser) -> None:
        kinds = parser.add_subparsers(dest="what", required=True)
        create = kinds.add_parser("create", help="Print a new key, which is not kept.")
        create.add_argument("name")
        create.add_argument(
            "--group",
            action="append",
            dest="groups",
            required=True,
            help="A user group whose rights the key has; may be given several times.",
        )
        create.add_argument("--expires-in", type=int, metavar="DAYS")
        revoke = kinds.add_parser("revoke", help="Stop a key's access at once, for good.")
        revoke.add_argument("name")
        kinds.add_parser("list", help="Name, prefix, groups and state of each key.")

    def handle(self, *args: Any, what: str, **options: Any) -> None:
        if what == "create":
            self._create(options["name"], options["groups"], options["expires_in"])
        elif what == "revoke":
            key = ApiKey.objects.filter(name=options["name"]).first()
            if key is None:
                raise CommandError(f"There is no API key {options['name']}. See: apikey list")
            administration.revoke_key(key, by=None, now=timezone.now())
            self.stdout.write(f"{key} is revoked.")
        else:
            self._list()

    def _create(self, name: str, names: list[str], days: int | None) -> None:
        groups = list(UserGroup.objects.filter(name__in=names))
        if unknown := sorted(set(names) - {group.name for group in groups}):
            there_are = ", ".join(UserGroup.objects.order_by("name").values_list("name", flat=True))
            raise CommandError(f"No user group {', '.join(unknown)}. There are: {there_are}.")
        if days is not None and not 0 < days < 36_500:
            raise CommandError("Give --expires-in as a number of days from 1 to 36499.")
        now = timezone.now()
        expires_at = now + timedelta(days=days) if days else None
        try:
            _, text = administration.create_key(
                name, groups, by=None, now=now, expires_at=expires_at
            )
        except administration.Invalid as error:
            raise CommandError(str(error)) from None
        self.stderr.write("Copy the key now: it is not kept. Send it as the header x-api-key.")
        self.stdout.write(text)

    def _list(self) -> None:
        now = timezone.now()
        for key in ApiKey.objects.select_related("user").prefetch_related("user__groups"):
            groups = ", ".join(sorted(group.name for group in key.user.groups.all()))
            is_over = key.expires_at is not None and key.expires_at <= now
            state = "revoked" if key.revoked_at else "expired" if is_over else "in use"
            self.stdout.write(f"{key.name}\t{key.prefix}\t{groups}\t{state}")
