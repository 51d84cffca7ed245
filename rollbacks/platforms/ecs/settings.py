"""What people may write about ECS services: infrastructure and the steps' settings.

Only shapes are checked here; nothing is read, resolved or reached.
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from rollbacks.platforms import shares

Count = Annotated[int, Field(ge=0, le=10_000)]
ServiceName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_{}-]+$", min_length=1, max_length=255)]
_Cluster = Annotated[
    str, Field(pattern=r"^(arn:aws[a-z-]*:ecs:[a-z0-9-]+:\d{12}:cluster/)?[a-zA-Z0-9_-]{1,255}$")
]
_Definition = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,255}(:\d+)?$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Listeners(_Part):
    """The ARNs of a listener or of a listener's rule, each; see docs/platforms/ecs.md."""

    production: Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:elasticloadbalancing:\S+$")]
    test: Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:elasticloadbalancing:\S+$")]

    @model_validator(mode="after")
    def _listeners_or_rules(self) -> Self:
        for arn in (self.production, self.test):
            if ":listener/" not in arn and ":listener-rule/" not in arn:
                raise ValueError(f"{arn} is neither a listener nor a listener rule")
        if self.production == self.test:
            raise ValueError("production and test must not be the same")
        return self


class Route53(_Part):
    """Weighted records for `record` in the hosted zone `zone`; `ttl` in seconds.

    `registries`: the ARNs of the two Cloud Map services that releases take in turns.
    """

    zone: Annotated[str, Field(pattern=r"^[A-Z0-9]{4,32}$")]
    record: Annotated[str, Field(pattern=r"^[^\s]+\.[^\s]+$", max_length=255)]
    registries: Annotated[
        list[Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:servicediscovery:\S+:service/\S+$")]],
        Field(min_length=2, max_length=2),
    ]
    ttl: Annotated[int, Field(ge=0, le=3600)] = 60

    @model_validator(mode="after")
    def _two_of_them(self) -> Self:
        if self.registries[0] == self.registries[1]:
            raise ValueError("a registry is named twice")
        return self


class Infrastructure(_Part):
    """`services`: the ECS services that are updated in place; None: the one named as our service.

    With `base_service`, each release gets a service of its own instead, made after that one, which
    is read and never changed; `service_name`: what they are called, before their number.
    For blue/green either `listeners` or `route53`.
    """

    cluster: _Cluster
    launch_type: Literal["EC2", "FARGATE"]
    services: Annotated[list[ServiceName], Field(min_length=1, max_length=200)] | None = None
    base_service: ServiceName | None = None
    service_name: ServiceName = "{application}__{service}__{environment}"
    listeners: Listeners | None = None
    route53: Route53 | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.services and len(set(self.services)) < len(self.services):
            raise ValueError("a service is named twice")
        if self.listeners and self.route53:
            raise ValueError("give listeners or route53, not both")
        if (self.listeners or self.route53) and not self.base_service:
            raise ValueError("listeners and route53 need a base_service")
        if self.base_service and self.services:
            raise ValueError("give services or base_service, not both")
        return self


class _Brings(_Part):
    """Of every step that registers a task definition with the artifact's image.

    `containers`: those that get it; by default those that use the same repository now, or the only
    one. `task_definition`: a family (its newest) or family:revision to be taken instead of the
    service's own, for what else a release changes.
    """

    containers: Annotated[list[Annotated[str, Field(min_length=1)]], Field(max_length=10)] = []
    task_definition: _Definition | None = None


class RolloutSettings(_Brings):
    """Of `ecs.rollout`."""


class SetupSettings(_Brings):
    """Of `ecs.setup` and `ecs.stage`. `desired`: how many tasks the new service is to have in the
    end; None: as many as run already, or 2 where none does."""

    desired: Annotated[int, Field(ge=1, le=10_000)] | None = None


class UpgradeSettings(_Part):
    """Of `ecs.upgrade`. `instances`: tasks of the new service in the end, also a percentage.

    `resize`: whether new tasks come first, or old ones go first.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    instances: Annotated[str, AfterValidator(shares.checked)] = "100%"
    resize: Literal["NEW_FIRST", "OLD_FIRST"] = "NEW_FIRST"


class SwapSettings(_Part):
    """Of `ecs.swap`."""

    downsize_old: bool = False


class WeightsSettings(_Part):
    """Of `ecs.weights`. `weight`: of the new service, of 100; the old one gets the rest."""

    weight: Annotated[int, Field(ge=0, le=100)] = 100
    downsize_old: bool = False

    @model_validator(mode="after")
    def _only_at_the_end(self) -> Self:
        if self.downsize_old and self.weight < 100:
            raise ValueError("downsize_old is for the step with the weight 100")
        return self
