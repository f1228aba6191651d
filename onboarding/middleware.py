"""What each request carries: the person's language and time zone, and a log line without secrets."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone, translation
from django_structlog.middlewares import RequestMiddleware

_LINK_TOKEN = re.compile(r"/i/.+")


def preferences(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Answer in the language and the time zone that the person chose; LocaleMiddleware has the browser's already."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return get_response(request)
        if request.user.language:
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = translation.get_language()
        with timezone.override(request.user.time_zone or None):
            return get_response(request)

    return answer


class RequestLog(RequestMiddleware):
    """A link token must not reach the log, nor what somebody typed into a query."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        return f"{request.method} {_LINK_TOKEN.sub('/i/…', request.path)}"
