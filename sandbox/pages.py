"""What all pages of the sandbox share: templates, strict headers, and forms that only they can send."""

import secrets
from hmac import compare_digest
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

_HERE = Path(__file__).parent
STATIC = _HERE / "static"
_FORM_COOKIE = "sandbox_form"
_MAX_FIELD = 64 * 1024
_templates = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters["grouped"] = lambda account_id: " ".join(account_id[at : at + 4] for at in (0, 4, 8))


def page(request: Request, template: str, status: int = 200, *, form_target: str = "", **context: Any) -> Response:
    """A page; `form_target` is the one other origin to which its form may lead."""
    form_key = request.cookies.get(_FORM_COOKIE) or secrets.token_urlsafe(32)
    html = _templates.get_template(template).render(form_key=form_key, **context)
    response = HTMLResponse(html, status)
    response.set_cookie(_FORM_COOKIE, form_key, httponly=True, samesite="strict")
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; "
        f"frame-src 'self'; frame-ancestors 'none'; form-action 'self' {form_target}".strip()
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


async def explain(request: Request, error: Exception) -> Response:
    """A page for what was not found or not allowed."""
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette's type is wider than its use
    return page(request, "explain.html", error.status_code, detail=error.detail)


async def sent_form(request: Request) -> FormData:
    """The form, if one of our own pages sent it; otherwise 403."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.url.netloc:
        raise HTTPException(403, "This form came from another site. Nothing changed.")
    form = await request.form(max_files=0, max_part_size=_MAX_FIELD)
    cookie, key = request.cookies.get(_FORM_COOKIE, ""), str(form.get("form_key", ""))
    if not cookie or not compare_digest(cookie.encode(), key.encode()):
        raise HTTPException(403, "This form is too old. Nothing changed. Open the page again.")
    return form


def text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""
