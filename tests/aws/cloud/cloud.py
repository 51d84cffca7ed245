"""AWS in the test's own process: one account in one region, behind one address.

    with FakeCloud() as cloud:
        cluster = cloud.cluster()
        front = cloud.load_balancer()
        ecs = cloud.client("ecs", cloud.account(["ecs:*", "iam:PassRole"]))
        cloud.fail("ecs:UpdateService", how=Drop(after_effect=True))

How a task fares is said by its image's tag, an instance by its AMI's name: see `ecs/fates.py`.
moto keeps what it is right about; docs/platforms/aws-gaps.md says what is done here instead.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from secrets import randbelow
from types import TracebackType
from typing import Any, Self

from tests.ports import LOOPBACK
from tests.transport import Transport

from . import scenery
from .balancing.targets import Targets
from .beneath import Beneath
from .clients import client
from .demand.demand import Demand
from .ecs.ecs import Ecs
from .faults import Call, Fault, Matcher
from .front import Front
from .identities import Identities, Key
from .policies import Statement
from .routing import actions, afterwards, beforehand
from .scaling.scaling import Scaling
from .scenery import Balancer
from .security import Security
from .timing import HOUR, Timing
from .world import World


class FakeCloud:
    """Use as a context manager; `timing` says how quickly things happen."""

    def __init__(self, region: str = "eu-central-1", timing: Timing | None = None) -> None:
        self.region = region
        self.account_id = str(10**11 + randbelow(9 * 10**11))
        self.timing = timing or Timing()
        self._names = itertools.count(1)
        world = self._world = World(
            self.account_id, region, self.timing, Beneath(self.account_id, region)
        )
        self._identities = Identities(world)
        self._targets = Targets(world)
        self._ecs = Ecs(world, self._targets)
        self._scaling = Scaling(world, self._targets)
        self._demand = Demand(world, self._ecs.services)
        security = Security(self._identities)
        self._front = Front(
            world,
            self._identities,
            actions(world, security, self._targets, self._ecs, self._scaling, self._demand),
            beforehand(world),
            afterwards(self._targets, self._ecs, self._scaling),
        )
        self._own = self._identities.administrator(is_observed=False)
        self._clients: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._transport = Transport(self._front.answer)
        self.endpoint = f"http://{LOOPBACK}:{self._transport.open()}"
        self._world.loop.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for each in self._clients.values():
            each.close()
        self._transport.close()
        self._world.loop.close()

    @property
    def requests(self) -> list[Call]:
        """What clients sent, in order; a test's own are left out."""
        return list(self._front.calls)

    def client(self, service: str, account: Mapping[str, str] | None = None) -> Any:
        """boto3's; without an account an administrator's, whose calls are the test's own."""
        if account is not None:
            return self._client(service, account)
        if service not in self._clients:
            self._clients[service] = self._client(service, self._environment(self._own))
        return self._clients[service]

    def account(
        self, actions: Sequence[str], resources: Sequence[str] = ("*",), name: str = ""
    ) -> dict[str, str]:
        """The environment of a user who may do these actions, and nothing else."""
        return self.user([Statement(tuple(actions), tuple(resources))], name)

    def user(self, statements: Sequence[Statement], name: str = "") -> dict[str, str]:
        """The environment of a user who may do all that these say."""
        name = name or self.name("deployer")
        return self._environment(self._identities.user(name, tuple(statements)))

    def role(self, actions: Sequence[str], external_id: str = "", name: str = "") -> str:
        """The ARN of a role that everybody in the account may assume who may do that."""
        statement = Statement(tuple(actions))
        return self._identities.role(name or self.name("role"), (statement,), external_id).arn

    def end_sessions(self) -> None:
        """Whoever has assumed a role has to do it again."""
        self._identities.end_sessions()

    def fail(self, matcher: Matcher, *, times: int = 1, how: Fault) -> None:
        """The next calls that match ("ecs:Update*", or a function of Call) meet this fault."""
        self._front.faults.plan(matcher, times, how)

    def forgive(self) -> None:
        """What was to go wrong, and has not yet, does not."""
        self._front.faults.clear()

    def throttling(self, is_on: bool) -> None:
        """Whether clients meet AWS's rate limits; the buckets are full each time."""
        self._front.buckets.refill()
        self._front.buckets.is_on = is_on

    @property
    def throttled(self) -> int:
        """How many calls met a rate limit since throttling began."""
        return self._front.buckets.refused

    def skip(self, seconds: float) -> None:
        """So much time passes at once: whatever takes no longer happens next."""
        self._world.loop.skip(seconds)

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Nothing that takes any time happens meanwhile, but for what a test skips."""
        with self._world.loop.clock.standing_still():
            yield

    @contextmanager
    def lasting(self, *what: str) -> Iterator[None]:
        """These times of `timing` are over when the block is, and not before."""
        usual = {each: getattr(self.timing, each) for each in what}
        for each in what:
            setattr(self.timing, each, HOUR)
        try:
            yield
        finally:
            for each, seconds in usual.items():
                setattr(self.timing, each, seconds)
            self.skip(len(what) * HOUR)  # some come one after another

    def shortage(self, of: str, is_on: bool = True) -> None:
        """There is no capacity any more, or there is again: "FARGATE" or "EC2"."""
        with self._world.loop.lock:
            (self._world.shortages.add if is_on else self._world.shortages.discard)(of)
            self._ecs.look_again()
            self._scaling.look_again()

    def demand(self, cluster: str, service: str, tasks: int) -> int:
        """There is work for so many tasks; what auto scaling makes of that is the answer."""
        with self._world.loop.lock:
            return self._demand.meet(cluster, service, tasks)

    def name(self, of: str) -> str:
        """One that nothing else has."""
        return f"{of}-{next(self._names)}"

    def cluster(self, instances: int = 0, name: str = "") -> str:
        """The name of a cluster with so many container instances."""
        name = name or self.name("cluster")
        self.client("ecs").create_cluster(clusterName=name)
        self.container_instances(name, instances)
        return name

    def container_instances(self, cluster: str, count: int) -> list[str]:
        """The ARNs of so many more; each has 4096 CPU units and 7482 MiB."""
        return scenery.container_instances(self, cluster, count)

    def image(self, name: str) -> str:
        """The id of an AMI whose name begins so, which says how its instances fare."""
        return scenery.image(self, name)

    def launch_template(self, image: str = "app", name: str = "") -> str:
        """The id of a launch template whose only version has an AMI whose name begins so."""
        return scenery.launch_template(self, image, name or self.name("template"))

    def launch_version(self, template: str, image: str) -> str:
        """The number of a further version, with such an AMI."""
        return scenery.launch_version(self, template, image)

    def auto_scaling_group(self, template: str = "", count: int = 2, **settings: Any) -> str:
        """The name of a new group of version 1, with room for ten instances."""
        return scenery.auto_scaling_group(self, template, count, settings)

    def load_balancer(self, kind: str = "ip", groups: int = 2) -> Balancer:
        """With a production and a test listener; see Balancer."""
        return scenery.load_balancer(self, kind, groups)

    def task_definition(self, family: str = "", tag: str = "1", **settings: Any) -> str:
        """The ARN of a new revision with one container, `web`, that listens on port 80."""
        return scenery.task_definition(self, family or self.name("task"), tag, settings)

    def service(self, cluster: str, definition: str, **settings: Any) -> str:
        """The name of a new service; on Fargate, if nothing else is said."""
        return scenery.service(self, cluster, definition, settings)

    def _environment(self, key: Key) -> dict[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": key.access_key,
            "AWS_SECRET_ACCESS_KEY": key.secret,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
        }

    def _client(self, service: str, account: Mapping[str, str]) -> Any:
        return client(service, self.region, self.endpoint, account)
