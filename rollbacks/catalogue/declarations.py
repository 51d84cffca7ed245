"""What a catalogue file may say, as models; docs/catalogue.md is the same for people.

Children are `list[Any]` on purpose: each entry is checked on its own (see `reading`), so that one
bad entry does not hide what is wrong with the others.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db.models import TextChoices
from django.utils import timezone
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from accounts.vocabulary import (
    ACTIONS_OF_TYPE,
    BY_ENVIRONMENT,
    AccountPermission,
    Action,
    PermissionType,
)
from dashboard.models import ArtifactType, DeploymentType, EnvironmentType, WorkflowType
from dashboard.models.catalogue import NAME, VERSION

CREDENTIAL = RegexValidator(
    r"\A(file:/[^\x00]+|env:[A-Za-z_][A-Za-z0-9_]*)?\Z",
    "Say where the worker finds the secret, never the secret itself: "
    "file:/absolute/path or env:NAME.",
)
CHECKSUM = RegexValidator(r"\A(sha256:[0-9a-f]{64})?\Z", "Write sha256: and 64 hexadecimal digits.")
USERNAME = RegexValidator(r"\A[\w.@+-]+\Z", "Use letters, digits and @ . + - _ only.")


TAKES_ENVIRONMENTS = BY_ENVIRONMENT | {PermissionType.ALL}


def _refuse(message: str) -> PydanticCustomError:
    # The message is no template here: braces in it must stay braces.
    return PydanticCustomError("catalogue", "{what}", {"what": message})


def _matches(validator: RegexValidator) -> AfterValidator:
    def check(text: str) -> str:
        try:
            validator(text)
        except ValidationError as error:
            raise _refuse(" ".join(error.messages)) from None
        return text

    return AfterValidator(check)


def _one_of(choices: type[TextChoices]) -> BeforeValidator:
    """The value, its label or its name in the code, in capitals or not."""
    known = {each.name.casefold(): each for each in choices}
    known |= {str(each.label).casefold(): each for each in choices}
    known |= {each.value.casefold(): each for each in choices}

    def read(written: object) -> TextChoices:
        if isinstance(written, str) and (found := known.get(written.strip().casefold())):
            return found
        raise _refuse(f"must be one of {', '.join(choices.values)}")

    return BeforeValidator(read)


def _aware(moment: datetime) -> datetime:
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment


Name = Annotated[str, Field(max_length=80), _matches(NAME)]
Text = Annotated[str, Field(max_length=200)]
Moment = Annotated[datetime, AfterValidator(_aware)]
OfEnvironment = Annotated[EnvironmentType, _one_of(EnvironmentType)]
Platform = Annotated[DeploymentType, _one_of(DeploymentType)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Entry(Part):
    """One thing a file declares. `children` names the lists whose entries are things themselves."""

    children: ClassVar[Mapping[str, "type[Entry]"]] = {}
    noun: ClassVar[str] = ""

    @property
    def label(self) -> str:
        """What tells it from its siblings."""
        return str(getattr(self, "name", ""))

    def stated(self, *fields: str) -> dict[str, Any]:
        """Those of the fields that the file says something about; the others stay as they are."""
        return {field: getattr(self, field) for field in fields if field in self.model_fields_set}


class ConnectorEntry(Entry):
    noun: ClassVar[str] = "connector"

    name: Name
    deployment_type: Platform
    settings: dict[str, Any] = {}
    credential: Annotated[str, Field(max_length=200), _matches(CREDENTIAL)] = ""


class ServiceEntry(Entry):
    noun: ClassVar[str] = "service"

    name: Name
    deployment_type: Platform
    artifact_type: Annotated[ArtifactType, _one_of(ArtifactType)]
    description: Text = ""


class InfrastructureEntry(Entry):
    noun: ClassVar[str] = "infrastructure definition"

    name: Name
    connector: str
    settings: dict[str, Any] = {}


class EnvironmentEntry(Entry):
    noun: ClassVar[str] = "environment"
    children: ClassVar[Mapping[str, type[Entry]]] = {"infrastructures": InfrastructureEntry}

    name: Name
    type: OfEnvironment
    infrastructures: list[Any] = []


class ArtifactEntry(Entry):
    """An immutable version of a service."""

    noun: ClassVar[str] = "artifact"

    service: str
    version: Annotated[str, Field(max_length=80), _matches(VERSION)]
    location: Annotated[str, Field(min_length=1, max_length=500)]
    checksum: Annotated[str, _matches(CHECKSUM)] = ""

    @property
    def label(self) -> str:
        return f"{self.service} {self.version}"


class WorkflowEntry(Entry):
    """Declared whole: without `infrastructure` a template, without phases the default ones."""

    noun: ClassVar[str] = "workflow"

    name: Name
    type: Annotated[WorkflowType, _one_of(WorkflowType)]
    service: str
    infrastructure: str | None = None
    definition: dict[str, Any] = {}


class ApplicationEntry(Entry):
    """May be named in several files, for example once for each service."""

    noun: ClassVar[str] = "application"
    children: ClassVar[Mapping[str, type[Entry]]] = {
        "services": ServiceEntry,
        "environments": EnvironmentEntry,
        "artifacts": ArtifactEntry,
        "workflows": WorkflowEntry,
    }

    name: Name
    description: Text = ""
    services: list[Any] = []
    environments: list[Any] = []
    artifacts: list[Any] = []
    workflows: list[Any] = []


class UserEntry(Entry):
    """A person; the password is set elsewhere, never in a file."""

    noun: ClassVar[str] = "user"

    username: Annotated[str, Field(max_length=150), _matches(USERNAME)]
    first_name: Annotated[str, Field(max_length=150)] = ""
    last_name: Annotated[str, Field(max_length=150)] = ""
    email: Annotated[str, Field(max_length=254)] = ""

    @property
    def label(self) -> str:
        return self.username


class PermissionRow(Part):
    """One row of a group's application permissions; it must match on every dimension."""

    type: Annotated[PermissionType, _one_of(PermissionType)]
    actions: Annotated[list[Annotated[Action, _one_of(Action)]], Field(min_length=1)]
    applications: Literal["ALL"] | list[str]
    environments: list[str] = []
    services: list[str] = []

    @property
    def is_everything(self) -> bool:
        """Whether the row's type takes no environments, and no services are chosen."""
        return self.type not in TAKES_ENVIRONMENTS and not self.services

    @field_validator("applications", mode="before")
    @classmethod
    def _all_or_names(cls, written: object) -> object:
        if isinstance(written, str) and written.casefold() == "all":
            return "ALL"
        if isinstance(written, list) and written and all(isinstance(x, str) for x in written):
            return written
        raise _refuse("must be ALL or a list of names of applications")

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        wrong = sorted(set(self.actions) - ACTIONS_OF_TYPE[self.type])
        if wrong:
            raise _refuse(f"{', '.join(wrong)}: not an action of type {self.type.value}")
        if self.type not in TAKES_ENVIRONMENTS and self.environments:
            raise _refuse(f"type {self.type.value} covers every environment: leave them out")
        if self.type in TAKES_ENVIRONMENTS and not self.environments:
            raise _refuse(
                "say which environments: ALL, PRODUCTION, NON_PRODUCTION "
                "or names like Shop / Staging"
            )
        return self


class UserGroupEntry(Entry):
    noun: ClassVar[str] = "user group"

    name: Annotated[str, Field(min_length=1, max_length=150)]
    description: Text = ""
    account_permissions: list[Annotated[AccountPermission, _one_of(AccountPermission)]] = []
    members: list[str] = []
    app_permissions: list[PermissionRow] = []

    @field_validator("account_permissions")
    @classmethod
    def _manage_includes_view(cls, chosen: list[AccountPermission]) -> list[AccountPermission]:
        manage, view = (
            AccountPermission.MANAGE_USERS_AND_GROUPS,
            AccountPermission.READ_USERS_AND_GROUPS,
        )
        if manage in chosen and view not in chosen:
            raise _refuse(f"{manage.label} needs {view.label} too: add it")
        return chosen


class FreezeEntry(Entry):
    """Declared whole. Covers the environments named, or all of the type, or simply all."""

    noun: ClassVar[str] = "deployment freeze"

    name: Annotated[str, Field(min_length=1, max_length=80)]
    starts_at: Moment
    ends_at: Moment | None = None
    is_on: bool = True
    environment_type: OfEnvironment | None = None
    environments: list[str] = []

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.ends_at and self.ends_at <= self.starts_at:
            raise _refuse("ends_at must be later than starts_at")
        return self


class CatalogueDocument(Entry):
    """The top of a YAML document."""

    children: ClassVar[Mapping[str, type[Entry]]] = {
        "connectors": ConnectorEntry,
        "applications": ApplicationEntry,
        "users": UserEntry,
        "user_groups": UserGroupEntry,
        "freezes": FreezeEntry,
    }

    connectors: list[Any] = []
    applications: list[Any] = []
    users: list[Any] = []
    user_groups: list[Any] = []
    freezes: list[Any] = []
