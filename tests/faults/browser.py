"""A browser in the hands of a patient user: fills forms in, and sends again what got no answer."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from tests.faults.installation import Installation

PATIENCE = 60.0  # seconds that a user goes on trying
ANSWER_SECONDS = 30


class GaveUpError(Exception):
    """The user could not go on; the message says where."""


@dataclass
class Form:
    """A form of a page with what a browser would send of it."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None
        self._select = self._textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(given.get("action", ""))
            if given.get("method", "").lower() == "post":
                self.forms.append(self._open)
        if self._open is None:
            return
        name, is_on = given.get("name", ""), "checked" in given
        if tag == "input" and name:
            kind = given.get("type", "text")
            if kind in ("radio", "checkbox"):
                if is_on:
                    self._open.fields[name] = given.get("value", "on")
            elif kind not in ("file", "submit", "button"):
                self._open.fields[name] = given.get("value", "")
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            if "selected" in given or self._select not in self._open.fields:
                self._open.fields[self._select] = given.get("value", "")
        elif tag == "textarea" and name:
            self._textarea = name
            self._open.fields[name] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._textarea = ""

    def handle_data(self, data: str) -> None:
        if self._textarea and self._open is not None:
            self._open.fields[self._textarea] += data


@dataclass
class Page:
    """A page as the browser shows it."""

    path: str
    status: int
    text: str

    def forms(self) -> list[Form]:
        parser = _Forms()
        parser.feed(self.text)
        return parser.forms

    def form(self, ending: str) -> Form | None:
        """Return the form that is sent to an address with this ending (empty: to the page itself)."""
        for form in self.forms():
            if form.action.endswith(ending) if ending else form.action in ("", self.path):
                return form
        return None


class Browser:
    """One user's browser. ``troubles`` are answers that did not come or told of an error."""

    def __init__(self, installation: Installation, session: str) -> None:
        self.installation = installation
        self.cookies = {"sessionid": session}
        self.troubles: list[tuple[float, str]] = []  # when the request began, and what came of it

    def get(self, path: str) -> Page:
        return self._follow(self._ask("GET", path))

    def send(
        self,
        page: Page,
        form: Form,
        values: dict[str, str] | None = None,
        files: dict[str, Any] | None = None,
    ) -> Page:
        """Send a form; when no answer comes, the very same once more, as reloading does."""
        path = urljoin(page.path, form.action or page.path)
        return self._follow(
            self._ask("POST", path, data={**form.fields, **(values or {})}, files=files)
        )

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> Page:
        """Post as a program of the page does, until it is answered."""
        return self._ask("POST", path, data=body, headers=headers)[0]

    def _follow(self, page: tuple[Page, str]) -> Page:
        shown, location = page
        while location:
            shown, location = self._ask("GET", location)
        return shown

    def _ask(self, method: str, path: str, **content: Any) -> tuple[Page, str]:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            address = self.installation.address()
            began = time.monotonic()
            try:
                answer = requests.request(
                    method, address + path, cookies=self.cookies, allow_redirects=False,
                    timeout=ANSWER_SECONDS, **content,
                )  # fmt: skip
            except requests.RequestException as error:
                self.troubles.append((began, f"{method} {path}: {type(error).__name__}"))
                continue
            self.cookies.update(answer.cookies.get_dict())
            if answer.status_code >= 500:
                self.troubles.append((began, f"{method} {path}: {answer.status_code}"))
                time.sleep(0.2)
                continue
            location = answer.headers.get("Location", "")
            if location:
                parts = urlsplit(urljoin(path, location))
                location = parts.path + (f"?{parts.query}" if parts.query else "")
            if location.startswith("/masuk/") or answer.status_code in (400, 403, 404, 429):
                raise GaveUpError(f"{method} {path}: {answer.status_code} {location}")
            return Page(path, answer.status_code, answer.text), location
        raise GaveUpError(f"{method} {path}: no answer in {PATIENCE:.0f} s")
