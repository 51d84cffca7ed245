"""How often the fake cloud may be called: the buckets that AWS publishes, one for each kind."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .cloud import FakeCloud
from .cloud.rates import rate_of


@pytest.fixture
def strict() -> Iterator[FakeCloud]:
    """A cloud of its own, for everybody shares its buckets, in which no time passes."""
    with FakeCloud() as cloud, cloud.standing_still():
        cloud.throttling(True)
        yield cloud


def is_answered(call: Callable[[], object]) -> bool:
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Message"] not in ("Rate exceeded", "Request limit exceeded."):
            raise
        return False
    return True


def answered(call: Callable[[], object]) -> int:
    """How many calls were, until one was not."""
    return next(count for count in range(1000) if not is_answered(call))


@pytest.mark.parametrize(
    ("service", "call", "given"),
    [
        ("ecs", "list_clusters", {}),
        ("elbv2", "describe_load_balancers", {}),
        ("ec2", "describe_vpcs", {}),
        ("route53", "list_hosted_zones", {}),
    ],
)
def test_a_bucket_holds_as_many_calls_as_published(
    strict: FakeCloud, service: str, call: str, given: dict[str, Any]
) -> None:
    client = strict.client(service, strict.account(["*"]))
    rate = rate_of(service, client.meta.method_to_api_mapping[call])
    assert rate is not None
    assert answered(lambda: getattr(client, call)(**given)) == rate.burst
    strict.throttling(False)
    getattr(client, call)(**given)


def test_kinds_of_actions_have_buckets_of_their_own(strict: FakeCloud) -> None:
    ecs = strict.client("ecs", strict.account(["*"]))
    answered(ecs.list_clusters)
    ecs.list_task_definitions()


def test_all_of_an_account_draw_from_one_bucket(strict: FakeCloud) -> None:
    first, second = (strict.client("route53", strict.account(["*"])) for _ in range(2))
    while is_answered(first.list_hosted_zones):
        pass
    assert not is_answered(second.list_hosted_zones)


def test_a_bucket_fills_again(strict: FakeCloud) -> None:
    route53 = strict.client("route53", strict.account(["*"]))
    answered(route53.list_hosted_zones)
    strict.skip(1 / 5 + 0.01)
    assert answered(route53.list_hosted_zones) == 1


def test_many_at_once_get_no_more_than_one_after_another(strict: FakeCloud) -> None:
    route53 = strict.client("route53", strict.account(["*"]))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: is_answered(route53.list_hosted_zones), range(24)))
    assert sum(found) == 5


def test_a_refused_call_has_no_effect(strict: FakeCloud) -> None:
    ecs = strict.client("ecs", strict.account(["*"]))
    made = answered(lambda: ecs.create_cluster(clusterName=strict.name("throttled")))
    assert len(strict.client("ecs").list_clusters()["clusterArns"]) == made


def test_a_tests_own_calls_are_not_counted(strict: FakeCloud) -> None:
    for _ in range(20):
        strict.client("route53").list_hosted_zones()


def test_what_has_no_published_rate_is_not_throttled(strict: FakeCloud) -> None:
    autoscaling = strict.client("autoscaling", strict.account(["*"]))
    for _ in range(60):
        autoscaling.describe_auto_scaling_groups()
