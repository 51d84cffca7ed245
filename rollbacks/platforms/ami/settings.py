"""What people may write about Auto Scaling groups: infrastructure and the steps' settings.

Only shapes are checked here; nothing is read, resolved or reached.
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from rollbacks.platforms import shares

Count = Annotated[int, Field(ge=0, le=10_000)]
GroupName = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f:/]+$", min_length=1, max_length=200)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _arn_of(resource: str) -> str:
    return rf"^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:\d{{12}}:{resource}/[^\s]+$"


TargetGroup = Annotated[str, Field(pattern=_arn_of("targetgroup"), max_length=500)]
TargetGroups = Annotated[list[TargetGroup], Field(max_length=20)]


class Infrastructure(_Part):
    """`base_group`: the group that is the model of all others; it is read and never changed.

    `group_name`: what the groups are called, before their number. `target_groups`: where the
    serving group is attached. For blue/green, either `stage_target_groups`, where a new group is
    attached until the switch, or `listener_rule`, which forwards to two target groups by weight.
    """

    base_group: Annotated[str, Field(min_length=1, max_length=255)]
    group_name: GroupName = "{application}__{service}__{environment}"
    target_groups: TargetGroups = []
    stage_target_groups: TargetGroups = []
    listener_rule: (
        Annotated[str, Field(pattern=_arn_of("listener-rule"), max_length=500)] | None
    ) = None

    @model_validator(mode="after")
    def _one_way_to_switch(self) -> Self:
        if self.listener_rule and (self.target_groups or self.stage_target_groups):
            raise ValueError(
                "listener_rule says which target groups there are; leave out target_groups and "
                "stage_target_groups"
            )
        if self.stage_target_groups and not self.target_groups:
            raise ValueError("stage_target_groups need target_groups to switch to")
        every = self.target_groups + self.stage_target_groups
        if len(set(every)) < len(every):
            raise ValueError("a target group is named twice")
        return self


class SetupSettings(_Part):
    """Of `ami.setup` and `ami.stage`: the sizes of the new group, all three or none.

    None: those of the newest group that has instances; where there is none, 0, 6 and 10.
    """

    minimum: Count | None = None
    desired: Count | None = None
    maximum: Count | None = None

    @model_validator(mode="after")
    def _fixed_or_not(self) -> Self:
        given = [self.minimum, self.desired, self.maximum]
        if given.count(None) not in (0, 3):
            raise ValueError("give minimum, desired and maximum, or none of them")
        sizes = [each for each in given if each is not None]
        if sizes != sorted(sizes):
            raise ValueError("minimum must not exceed desired, nor desired maximum")
        return self


class RefreshSettings(SetupSettings):
    """Of `ami.refresh`; the sizes are of the group that the first deployment makes.

    `minimum_healthy_percentage`: of the desired capacity, in service while instances are replaced.
    `instance_warmup`: seconds; None: as the group has it.
    """

    minimum_healthy_percentage: Annotated[int, Field(ge=0, le=100)] = 90
    instance_warmup: Annotated[int, Field(ge=0, le=21_600)] | None = None


class _Last(_Part):
    """Of every step that may be the last one: whether the base group's schedule comes along."""

    scheduled_actions: bool = False


class UpgradeSettings(_Last):
    """Of `ami.upgrade`. `instances`: of the new group in the end, also a percentage of the desired.

    `resize`: whether new instances come first, or old ones go first.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    instances: Annotated[str, AfterValidator(shares.checked)] = "100%"
    resize: Literal["NEW_FIRST", "OLD_FIRST"] = "NEW_FIRST"


class SwitchSettings(_Last):
    """Of `ami.switch`."""

    downsize_old: bool = False


class ShiftSettings(_Last):
    """Of `ami.shift`. `weight`: of the new group, of 100; the old ones get the rest."""

    weight: Annotated[int, Field(ge=0, le=100)]
    downsize_old: bool = False

    @model_validator(mode="after")
    def _only_at_the_end(self) -> Self:
        if self.downsize_old and self.weight < 100:
            raise ValueError("downsize_old is for the step with the weight 100")
        return self
