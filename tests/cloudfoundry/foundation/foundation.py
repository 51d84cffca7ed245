"""A foundation in the test's own process: an API, UAA, an autoscaler, cells that pretend.

    with FakeFoundation() as foundation:
        place = foundation.space(memory=4096)
        login = foundation.credential("space_developer")
        foundation.behave("1.4.2", Fate.CRASHES)
        foundation.fail("POST */actions/scale", Drop(after_effect=True))
        foundation.ask("shop.apps.example.test", "/").version

The version of an artifact is its image, or what the file VERSION in its ZIP says.
"""

import random
import ssl
import tempfile
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.certificates import Authority
from tests.ports import LOOPBACK
from tests.transport import Transport

from . import diego, router
from . import records as r
from .describing import everything
from .fates import Fate
from .faults import Asked, Fault, Matcher
from .front import Front
from .scenery import Login, Place, Scenery
from .state import State
from .timing import Timing
from .uaa import Uaa

Json = dict[str, Any]


_LIMITS = {
    "memory": "total_memory",
    "each": "per_process_memory",
    "instances": "total_instances",
    "log_rate": "log_rate",
    "routes": "total_routes",
}
_OF_SPACE = {f"space_{each}" for each in _LIMITS}


class FakeFoundation:
    """Use as a context manager; `timing` says how quickly things happen.

    `weighs`: the router looks at the weights of destinations, which a real one no longer does.
    """

    def __init__(self, timing: Timing | None = None, *, weighs: bool = False) -> None:
        self.timing = timing or Timing()
        self.state = State(self.timing)
        self.uaa = Uaa(self.state)
        self._front = Front(self.state, self.uaa)
        self._scenery = Scenery(self.state, self.uaa)
        self._weighs = weighs
        self._chance = random.Random(7)

    def __enter__(self) -> Self:
        self._directory = tempfile.TemporaryDirectory(prefix="lastgood-foundation-")
        context = self._certified(Path(self._directory.name))
        front = self._front
        answering = (front.answer_api, front.answer_uaa, front.answer_autoscaler)
        self._transports = [Transport(each, context) for each in answering]
        urls = [f"https://{LOOPBACK}:{each.open()}" for each in self._transports]
        self.api, self.login, self.autoscaler = urls
        self.state.url, self.state.login_url = self.api, self.login
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for each in self._transports:
            each.close()
        self._directory.cleanup()

    def _certified(self, directory: Path) -> ssl.SSLContext:
        authority = Authority()
        self.ca = directory / "ca.pem"
        self.ca.write_text(authority.pem)
        server = directory / "server.pem"
        server.write_text(authority.vouch("api.example.test", LOOPBACK).pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server)
        return context

    def space(self, name: str | None = None, **limits: int) -> Place:
        """A new one in a new organization; `limits`: see `limit`."""
        inner = r.Quota(name="small") if any(each in _OF_SPACE for each in limits) else None
        with self.state:
            place = self._scenery.place(name, r.Quota(name="runaway"), inner)
        self.limit(place, **limits)
        return place

    def limit(self, place: Place, **limits: int) -> None:
        """What the quota of its organization allows from now on, or that of the space: memory, each
        (of one process; both in MB), instances, log_rate (in bytes), routes; space_memory …"""
        with self.state:
            space = self.state.get(r.Space, place.space)
            org = self.state.get(r.Organization, place.org)
            for name, limit in limits.items():
                guid = space.quota if name in _OF_SPACE else org.quota
                quota = self.state.get(r.Quota, guid)
                setattr(quota, _LIMITS[name.removeprefix("space_")], limit)

    def credential(
        self, role: str | None = "space_developer", *places: Place, kind: str = "user"
    ) -> Login:
        """Somebody new with that role in those places, or everywhere.

        `role`: as the API names it, "admin", or None for somebody without any. `kind`: "user",
        "client" (client_credentials), or "reader" (a client whose scopes allow no changes).
        """
        with self.state:
            spaces = [self.state.get(r.Space, each.space) for each in places] or None
            return self._scenery.login(role, spaces, kind)

    def take_roles(self, login: Login) -> None:
        with self.state:
            self._scenery.take(login.user)

    def suspend(self, place: Place, *, is_suspended: bool = True) -> None:
        """Its organization."""
        with self.state:
            self.state.get(r.Organization, place.org).is_suspended = is_suspended

    def expire(self, droplet: str) -> None:
        """As the foundation does with old ones, of which it keeps only a few."""
        with self.state:
            self.state.get(r.Droplet, droplet).state = "EXPIRED"

    def behave(self, version: str, fate: Fate, *, index: int | None = None) -> None:
        """From now on, also for instances that are there already; all, or those of that index."""
        with self.state:
            self.state.fates.tell(version, fate, index)

    def fail(self, matcher: Matcher, how: Fault, *, times: int = 1, after: int = 0) -> None:
        """The request that matches, such as "POST */actions/scale"; so many are spared first."""
        self._front.faults.plan(matcher, times, how, after)

    def fail_change(self, number: int, how: Fault) -> None:
        """The changing request of that number from now, the first is 1."""
        self.fail(lambda asked: asked.is_change, how, after=number - 1)

    def turn_off(self, flag: str, message: str = "") -> None:
        """A feature, until it heals; `message`: what people are told."""
        with self.state:
            self.state.off[flag] = message

    def protect(self, registry: str, user: str, password: str) -> None:
        """Nobody else may take images from there, until it heals."""
        with self.state:
            self.state.registries[registry] = (user, password)

    def heal(self) -> None:
        """Nothing goes wrong any more: no faults are left, every version runs, all is allowed."""
        self._front.faults.clear()
        with self.state:
            self.state.fates.forget()
            self.state.off.clear()
            self.state.registries.clear()

    @property
    def requests(self) -> list[Asked]:
        """All that was asked, in order."""
        return self._front.requests

    @property
    def changes(self) -> list[Asked]:
        return [each for each in self.requests if each.is_change]

    def everything(self, place: Place) -> Json:
        """All that can be described of a space, as plain data."""
        with self.state:
            return everything(self.state, self.state.get(r.Space, place.space))

    def ask(self, host: str, path: str = "/") -> router.Reply:
        """What a user would get from the router at this moment."""
        with self.state:
            return router.ask(self.state, host, path, self._chance, weighs=self._weighs)

    def instances(self, app: str, type_: str = r.WEB) -> Counter[tuple[str, str]]:
        """How many are in which state with which version, of an app by its GUID."""
        with self.state:
            found = self.state.processes(self.state.get(r.App, app), type_)
            seen = [each for process in found for each in diego.seen(self.state, process)]
            return Counter((each.look.state, each.instance.version) for each in seen)
