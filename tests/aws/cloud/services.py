"""What differs between services in how they are called and how they say no."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Dialect:
    """One service, by the name boto3 has for it."""

    name: str
    signs_as: str
    denied: str = "AccessDenied"
    throttled: tuple[str, str, int] = ("Throttling", "Rate exceeded", 400)
    is_global: bool = False
    iam_prefix: str = ""  # in permissions; as it signs, unless told
    broken: str = "InternalFailure"

    @property
    def prefix(self) -> str:
        return self.iam_prefix or self.signs_as

    @property
    def is_json(self) -> bool:
        """JSON services name their errors …Exception, the older ones in XML do not."""
        return self.denied.endswith("Exception")


_JSON_THROTTLED = ("ThrottlingException", "Rate exceeded", 400)
_DENIED = "AccessDeniedException"

_DIALECTS = (
    Dialect("ecs", "ecs", _DENIED, _JSON_THROTTLED, broken="ServerException"),
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-throttling.html
    Dialect("elbv2", "elasticloadbalancing", throttled=_JSON_THROTTLED),
    Dialect("autoscaling", "autoscaling"),
    Dialect(
        "application-autoscaling",
        "application-autoscaling",
        _DENIED,
        _JSON_THROTTLED,
        broken="InternalServiceException",
    ),
    # https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
    Dialect(
        "ec2",
        "ec2",
        "UnauthorizedOperation",
        ("RequestLimitExceeded", "Request limit exceeded.", 503),
        broken="InternalError",
    ),
    Dialect("iam", "iam", is_global=True, broken="ServiceFailure"),
    Dialect("sts", "sts", is_global=True),
    Dialect("route53", "route53", is_global=True),
    Dialect("servicediscovery", "servicediscovery", _DENIED, _JSON_THROTTLED),
    Dialect("ssm", "ssm", _DENIED, _JSON_THROTTLED, broken="InternalServerError"),
    Dialect("cloudwatch", "monitoring", iam_prefix="cloudwatch", broken="InternalServiceFault"),
)
BY_SIGNATURE = {each.signs_as: each for each in _DIALECTS}
BY_NAME = {each.name: each for each in _DIALECTS}
