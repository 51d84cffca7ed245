"""Somebody who speaks with a foundation, without a platform in between."""

import io
import ssl
import time
import zipfile
from collections.abc import Callable
from typing import Any, TypeVar

import httpx

from .foundation import FakeFoundation, Login, Place

Json = dict[str, Any]
Found = TypeVar("Found")
SECONDS = 30.0


class Caller:
    """A client with a token; `send` gives the answer as it is, `ask` what a good one says."""

    def __init__(self, foundation: FakeFoundation, login: Login) -> None:
        self.foundation = foundation
        trusted = ssl.create_default_context(cafile=str(foundation.ca))
        self.http = httpx.Client(verify=trusted, timeout=10)
        self.login = login
        self.log_in()

    def __enter__(self) -> "Caller":
        return self

    def __exit__(self, *error: object) -> None:
        self.http.close()

    def log_in(self) -> Json:
        form = {"grant_type": "password", "username": self.login.user}
        granted = self.token({**form, "password": self.login.password}).json()
        self.http.headers["Authorization"] = f"bearer {granted['access_token']}"
        return dict(granted)

    def token(self, form: Json, client: tuple[str, str] = ("cf", "")) -> httpx.Response:
        return self.http.post(f"{self.foundation.login}/oauth/token", data=form, auth=client)

    def send(
        self, method: str, path: str, body: Json | None = None, **query: Any
    ) -> httpx.Response:
        url = path if path.startswith("https:") else f"{self.foundation.api}{path}"
        return self.http.request(method, url, json=body, params=query or None)

    def ask(self, method: str, path: str, body: Json | None = None, **query: Any) -> Json:
        response = self.send(method, path, body, **query)
        assert response.is_success, response.text
        return dict(response.json()) if response.content else {}

    def job(self, response: httpx.Response) -> Json:
        """The job that was accepted, when it is over."""
        assert response.status_code == 202, response.text
        where = response.headers["Location"]
        over = ("COMPLETE", "FAILED")
        return until(lambda: self.ask("GET", where), lambda job: job["state"] in over)

    def app(self, place: Place, name: str, kind: str = "docker") -> str:
        """Its GUID."""
        related = to(space=place.space)
        body = {"name": name, **related, "lifecycle": {"type": kind, "data": {}}}
        return str(self.ask("POST", "/v3/apps", body)["guid"])

    def droplet(self, app: str, image: str) -> str:
        """Of an image; its GUID."""
        body = {"type": "docker", "data": {"image": image}, **to(app=app)}
        return self.staged(self.ask("POST", "/v3/packages", body)["guid"])

    def staged(self, package: str) -> str:
        build = self.ask("POST", "/v3/builds", {"package": {"guid": package}})["guid"]
        found = until(
            lambda: self.ask("GET", f"/v3/builds/{build}"), lambda now: now["state"] != "STAGING"
        )
        assert found["state"] == "STAGED", found
        return str(found["droplet"]["guid"])

    def deploy(self, app: str, image: str, instances: int = 1) -> str:
        """The app runs that image; the droplet's GUID."""
        droplet = self.droplet(app, image)
        current = f"/v3/apps/{app}/relationships/current_droplet"
        self.ask("PATCH", current, {"data": {"guid": droplet}})
        self.scale(app, instances)
        self.ask("POST", f"/v3/apps/{app}/actions/restart")
        return droplet

    def scale(self, app: str, instances: int) -> Json:
        path = f"/v3/apps/{app}/processes/web/actions/scale"
        return self.ask("POST", path, {"instances": instances})

    def states(self, app: str) -> list[str]:
        stats = self.ask("GET", f"/v3/apps/{app}/processes/web/stats")["resources"]
        return [each["state"] for each in stats]

    def running(self, app: str, instances: int) -> None:
        """When as many run, and no others."""
        until(lambda: self.states(app), lambda states: states == ["RUNNING"] * instances)

    def route(self, place: Place, host: str, *apps: str, **more: Any) -> str:
        related = to(space=place.space, domain=place.domain)
        guid = str(self.ask("POST", "/v3/routes", {"host": host, **related, **more})["guid"])
        if apps:
            self.ask("PATCH", f"/v3/routes/{guid}/destinations", destinations(*apps))
        return guid


def destinations(*apps: str, weights: tuple[int, ...] = ()) -> Json:
    listed: list[Json] = [{"app": {"guid": each}} for each in apps]
    for each, weight in zip(listed, weights, strict=False):
        each["weight"] = weight
    return {"destinations": listed}


def to(**guids: str) -> Json:
    """Relationships."""
    return {"relationships": {name: {"data": {"guid": guid}} for name, guid in guids.items()}}


def archive(**files: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as written:
        for name, text in files.items():
            written.writestr(name, text)
    return content.getvalue()


def detail(response: httpx.Response) -> tuple[int, str, str]:
    """What a refusal says first."""
    first = response.json()["errors"][0]
    return response.status_code, first["title"], first["detail"]


def until(
    look: Callable[[], Found],
    is_so: Callable[[Found], bool] = bool,
    seconds: float = SECONDS,
) -> Found:
    """What is found once it is so."""
    deadline = time.monotonic() + seconds
    while not is_so(found := look()):
        assert time.monotonic() < deadline, f"it did not happen in time: {found}"
        time.sleep(0.005)
    return found
