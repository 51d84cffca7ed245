"""Which function answers which request: by method and a path with braces for what varies."""

import re
from collections.abc import Callable, Mapping

from .calls import Answer, Call

Answering = Callable[[Call], Answer]


class Routes:
    """Functions are entered by `@routes.on("GET", "/v3/apps/{guid}")`."""

    def __init__(self) -> None:
        self._exact: dict[tuple[str, str], Answering] = {}
        self._varied: list[tuple[str, re.Pattern[str], Answering]] = []

    def on(self, method: str, path: str) -> Callable[[Answering], Answering]:
        def enter(answering: Answering) -> Answering:
            if "{" in path:
                pattern = re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path)
                self._varied.append((method, re.compile(pattern), answering))
            else:
                self._exact[method, path] = answering
            return answering

        return enter

    def find(self, method: str, path: str) -> tuple[Answering, Mapping[str, str]] | None:
        if exact := self._exact.get((method, path)):
            return exact, {}
        for on, pattern, answering in self._varied:
            if on == method and (found := pattern.fullmatch(path)):
                return answering, found.groupdict()
        return None


routes = Routes()
