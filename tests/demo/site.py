"""A browser without JavaScript, as little of one as the demo's test needs."""

from html.parser import HTMLParser
from types import TracebackType
from typing import Self

import httpx


class Forms(HTMLParser):
    """The forms of a page, each as the fields it would send."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append({})
        elif tag == "input" and self.found and "name" in given and _is_sent(given):
            self.found[-1][given["name"]] = given.get("value", "")

    def with_field(self, name: str) -> dict[str, str]:
        return next(form for form in self.found if name in form)


def _is_sent(given: dict[str, str]) -> bool:
    return "checked" in given or given.get("type") not in {"checkbox", "radio", "submit"}


class Browser:
    """Signed in as somebody of the demo."""

    def __init__(self, url: str, name: str, password: str) -> None:
        self._client = httpx.Client(base_url=url, follow_redirects=True, timeout=20)
        self.submit("/sign-in/", username=name, password=password)

    def submit(self, path: str, **filled: str) -> httpx.Response:
        """Open the page, fill in the form that has these fields, send it; where that leads."""
        page = self._client.get(path)
        assert page.status_code == 200, page.text
        fields = Forms(page.text).with_field(next(iter(filled)))
        answer = self._client.post(
            str(page.url), data=fields | filled, headers={"Referer": str(page.url)}
        )
        assert answer.status_code == 200, answer.text
        return answer

    def get(self, path: str) -> httpx.Response:
        return self._client.get(path)

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Send these fields, whatever the answer."""
        token = {"csrfmiddlewaretoken": self._client.cookies["csrftoken"]}
        referer = {"Referer": str(self._client.base_url)}
        return self._client.post(path, data=fields | token, headers=referer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()
