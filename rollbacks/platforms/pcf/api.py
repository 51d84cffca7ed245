"""Asking a foundation, and telling it: tokens renewed, pages joined, limits kept to.

A read is asked again where the fault may pass. A change is sent once; it is sent again only after
an answer which says that nothing has happened.
"""

import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from urllib.parse import parse_qsl, urlsplit

import httpx

from rollbacks.platforms import turns
from rollbacks.platforms.base import Control, PlatformError, TargetRef
from rollbacks.platforms.pcf import access, answers
from rollbacks.platforms.pcf.answers import Absent, Limited, Untrusted

Json = dict[str, Any]
PER_PAGE = 500
PAUSES = (0.3, 1.0)  # in s, at most, before what only reads is asked again
ATTEMPTS = 4  # while too much is asked
LONGEST_PAUSE_SECONDS = 20.0  # then it is better to look at everything anew
RATE, BURST = 20.0, 120  # requests a second to one foundation, of which the pace takes a share


@dataclass(frozen=True)
class Answer:
    """`location`: the path of the job that does the rest, or empty."""

    document: Json
    location: str = ""
    text: str = ""


@dataclass(frozen=True)
class _Request:
    method: str
    url: str
    params: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def is_write(self) -> bool:
        return self.method != "GET"

    @property
    def what(self) -> str:
        """Without its query."""
        return f"{self.method} {urlsplit(self.url).path}"


class Api:
    """The foundation of a target's connector; paths begin with /v3."""

    def __init__(self, target: TargetRef) -> None:
        self._target = target
        self._session = access.session_of(target)

    @property
    def person(self) -> access.Person:
        """Whoever we are. Raises PlatformError."""
        return self._session.person

    def get(self, path: str, **params: str) -> Json:
        """Raises PlatformError; Absent where it is not there."""
        found = self._read(_Request("GET", self._url(path), params))
        if not found.document and found.text.strip() != "{}":
            raise PlatformError(f"The answer to GET {path} is no JSON object: is the API right?")
        return found.document

    def text(self, path: str) -> str:
        """Of what is YAML. Raises PlatformError."""
        accepted = {"headers": {"Accept": "application/x-yaml"}}
        return self._read(_Request("GET", self._url(path), options=accepted)).text

    def _read(self, request: _Request) -> Answer:
        for pause in PAUSES:
            try:
                return self._sent(request)
            except PlatformError as fault:
                seconds = fault.seconds if isinstance(fault, Limited) else pause
                if fault.permanent or seconds > LONGEST_PAUSE_SECONDS:
                    raise
                time.sleep(max(seconds, random.uniform(pause / 2, pause)))  # noqa: S311
        return self._sent(request)

    def find(self, path: str, **params: str) -> Json | None:
        """None where it is not there. Raises PlatformError."""
        try:
            return self.get(path, **params)
        except Absent:
            return None

    def pages(self, path: str, **params: str) -> Iterator[Json]:
        """The resources of all pages. Raises PlatformError."""
        wanted = {"per_page": str(PER_PAGE), **params}
        while True:
            page = self.get(path, **wanted)
            yield from page.get("resources") or ()
            following = (page.get("pagination") or {}).get("next") or {}
            if not following.get("href"):
                return
            # Only its query is taken: a token goes to nobody but the connector's API.
            wanted = dict(parse_qsl(urlsplit(str(following["href"])).query))

    def write(self, control: Control, method: str, path: str, body: object = None) -> Answer:
        """Change something. Raises PlatformError; Lost where it may have happened all the same."""
        options = {} if body is None else {"json": body}
        return self._told(control, _Request(method, self._url(path), options=options))

    def apply_manifest(self, control: Control, space: str, text: str) -> Answer:
        """As `write`."""
        options = {"content": text.encode(), "headers": {"Content-Type": "application/x-yaml"}}
        url = self._url(f"/v3/spaces/{space}/actions/apply_manifest")
        return self._told(control, _Request("POST", url, options=options))

    def upload(self, control: Control, path: str, bits: BinaryIO) -> Answer:
        """As `write`; ends where the control says so, between two pieces of the file."""
        options = {"files": {"bits": ("application.zip", _Watched(bits, control))}}
        return self._told(control, _Request("POST", self._url(path), options=options))

    def _url(self, path: str) -> str:
        """A path of the API, or a whole address of another server of the foundation."""
        return path if path.startswith("https://") else f"{self._session.api}{path}"

    def _told(self, control: Control, request: _Request) -> Answer:
        for _ in range(ATTEMPTS - 1):
            control.checkpoint()
            try:
                return self._sent(request)
            except Limited as limited:
                if limited.seconds > LONGEST_PAUSE_SECONDS:
                    raise
                _rest(control, limited.seconds)
        control.checkpoint()
        return self._sent(request)

    def _sent(self, request: _Request) -> Answer:
        """Once; twice where the token had ended, which changes nothing."""
        token = self._session.token()
        try:
            return self._once(request, token)
        except Untrusted:
            token = self._session.token(refused=token)
        try:
            return self._once(request, token)
        except Untrusted as fault:
            fault.permanent = not self._session.was_let_in
            raise

    def _once(self, request: _Request, token: str) -> Answer:
        bucket = f"pcf/{self._session.api}"
        turns.take(self._target.pace, bucket, RATE, BURST, request.what)
        options = dict(request.options)
        headers = {**options.pop("headers", {}), "Authorization": f"bearer {token}"}
        try:
            answer = self._session.client.request(
                request.method, request.url, params=request.params, headers=headers, **options
            )
        except httpx.HTTPError as error:
            raise answers.unanswered(request.what, error, is_write=request.is_write) from None
        if not answer.is_success:
            raise answers.refusal(request.what, answer, is_write=request.is_write, now=time.time())
        self._session.was_let_in = True
        location = urlsplit(answer.headers.get("Location", "")).path
        return Answer(answers.read(answer), location, answer.text)


class _Watched:
    """A file that can be given up halfway, and sent again from its beginning."""

    def __init__(self, file: BinaryIO, control: Control) -> None:
        self._file = file
        self._control = control

    def read(self, size: int = -1, /) -> bytes:
        self._control.checkpoint()
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def fileno(self) -> int:
        return self._file.fileno()


def _rest(control: Control, seconds: float) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, 0.5))
        control.safe_point()
