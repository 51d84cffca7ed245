"""What people may write about Cloud Foundry: connector, infrastructure and the steps' settings.

Only shapes are checked here; nothing is read, resolved or reached.
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from rollbacks.platforms import shares
from rollbacks.platforms.credentials import Reference
from rollbacks.platforms.pcf.addresses import checked as route
from rollbacks.platforms.pcf.manifest import Manifest

Seconds = Annotated[float, Field(gt=0, le=600)]
Name = Annotated[str, Field(min_length=1, max_length=250)]
HttpsUrl = Annotated[str, Field(pattern=r"^https://[^\s/?#]+/?$", max_length=300)]
Route = Annotated[str, AfterValidator(route)]
FINAL, TEMPORARY = "FINAL", "TEMPORARY"
OVERLAP_SECONDS = 5.0


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Registry(_Part):
    """A private registry of images, as images name it; `credential`: as whom they are pulled."""

    registry: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+(:\d+)?$", max_length=255)]
    credential: Reference


class Connector(_Part):
    """One foundation. `api`: of its Cloud Controller, which names the UAA where tokens are had.

    `certificate_authority`: a file on the worker; without it those that the system trusts.
    `registries`: those that do not let in everybody.
    """

    api: HttpsUrl
    certificate_authority: Annotated[str, Field(pattern=r"^/")] | None = None
    connect_timeout: Seconds = 10
    request_timeout: Seconds = 30
    registries: Annotated[tuple[Registry, ...], Field(max_length=20)] = ()

    @model_validator(mode="after")
    def _one_user_each(self) -> Self:
        every = [each.registry for each in self.registries]
        if twice := sorted({each for each in every if every.count(each) > 1}):
            raise ValueError(f"the registry {twice[0]} is named twice")
        return self


class Infrastructure(_Part):
    """A space. `app_name`: what the apps of a service are called, before their number.

    `routes`: where everybody is sent, beside those of a manifest; `temporary_routes`: where a new
    version of blue/green is reached before. `autoscaler`: of App Autoscaler, where there is one.
    """

    organization: Name
    space: Name
    app_name: Annotated[str, Field(min_length=1, max_length=200)] = (
        "{application}__{service}__{environment}"
    )
    routes: Annotated[list[Route], Field(max_length=50)] = []
    temporary_routes: Annotated[list[Route], Field(max_length=50)] = []
    autoscaler: HttpsUrl | None = None

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        every = [*self.routes, *self.temporary_routes]
        if twice := sorted({each for each in every if every.count(each) > 1}):
            raise ValueError(f"{twice[0]} is named twice")
        return self


class SetupSettings(_Part):
    """Of `pcf.setup`. `match_running`: as many instances as run already, where any do.

    `routes`: where the new app is reached at once: by everybody, or for blue/green by its temporary
    routes alone. `resize`: whether new instances come first, or old ones go first. `keep`: how many
    apps without instances stay. `after_rollback`: what becomes of the new app.
    """

    manifest: Manifest = Manifest()
    match_running: bool = False
    routes: Literal["FINAL", "TEMPORARY"] = "FINAL"
    resize: Literal["NEW_FIRST", "OLD_FIRST"] = "NEW_FIRST"
    keep: Annotated[int, Field(ge=1, le=50)] = 3
    after_rollback: Literal["DELETE", "KEEP"] = "DELETE"

    @model_validator(mode="after")
    def _old_stays(self) -> Self:
        if self.routes == TEMPORARY and self.resize == "OLD_FIRST":
            raise ValueError("with temporary routes the old app stays: resize is for FINAL routes")
        return self


class ResizeSettings(_Part):
    """Of `pcf.resize`. `instances`: of the new app in the end, also a percentage; of process types
    other than web, the same share.

    `old_instances`: of the old apps together; without it the complement. `downsize_old`: whether
    they shrink at all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    instances: Annotated[str, AfterValidator(shares.checked)] = "100%"
    old_instances: Annotated[int, Field(ge=0, le=10_000)] | None = None
    downsize_old: bool = True

    @model_validator(mode="after")
    def _one_says(self) -> Self:
        if self.old_instances is not None and not self.downsize_old:
            raise ValueError("give old_instances or downsize_old: false, not both")
        return self


class SwapSettings(_Part):
    """Of `pcf.swap`. `overlap`: seconds during which both apps have the routes, so that every
    router knows the new one before the old one goes."""

    downsize_old: bool = False
    overlap: Annotated[float, Field(ge=0, le=300)] = OVERLAP_SECONDS
