"""A person at the sandbox's pages, without JavaScript: reads forms and sends them as a browser does."""

from html.parser import HTMLParser
from urllib.parse import urljoin

import requests


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self._area: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form":
            self.forms.append((found.get("action") or "", {}))
        elif tag == "input" and (found.get("type") != "radio" or "checked" in found):
            self.forms[-1][1][found["name"] or ""] = found.get("value") or ""
        elif tag == "textarea":
            self._area = found["name"]
            self.forms[-1][1][self._area or ""] = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.forms[-1][1][self._area] += data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = None


class Browser:
    """`page` is what the person sees; redirects are followed as far as the sandbox goes."""

    def __init__(self, base: str) -> None:
        self._session = requests.Session()
        self._base = base
        self.page = requests.Response()

    def open(self, address: str) -> "Browser":
        return self._go("GET", urljoin(self._base, address))

    def fields(self, action: str) -> dict[str, str]:
        reader = _Forms()
        reader.feed(self.page.text)
        return next(fields for target, fields in reader.forms if target.startswith(action))

    def send(self, action: str, **typed: str) -> "Browser":
        reader = _Forms()
        reader.feed(self.page.text)
        target, fields = next(form for form in reader.forms if form[0].startswith(action))
        return self._go("POST", urljoin(self.page.url, target), {**fields, **typed})

    def sign_in(self, employee: dict[str, str]) -> "Browser":
        return self.send("/sign-in", email=employee["email"], password=employee["password"])

    def _go(self, method: str, address: str, form: dict[str, str] | None = None) -> "Browser":
        headers = {"Origin": self._base} if method == "POST" else {}
        self.page = self._session.request(
            method, address, data=form, headers=headers, allow_redirects=False, timeout=10
        )
        onward = self.page.headers.get("location")
        if onward and urljoin(self._base, onward).startswith(self._base):
            return self._go("GET", urljoin(self._base, onward))
        return self
