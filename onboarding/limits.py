"""How often somebody may ask, counted in the cache by allauth's limiter: by address, or by person."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.core.internal import ratelimit
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

View = Callable[..., HttpResponseBase]
Refuse = Callable[[HttpRequest], HttpResponse]


def limited(rate: str, *, refuse: Refuse = ratelimit.respond_429) -> Callable[[View], View]:
    """`rate` as allauth writes it: `30/m/ip`, `10/m/user`. The view's own name tells its count from others."""

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            asked = {"app": "onboarding", "action": view.__name__, "config": {view.__name__: rate}}
            if not ratelimit.consume(request, **asked, limit_get=True):
                return refuse(request)
            return view(request, *args, **kwargs)

        return answer

    return decorate


def slow_down(_request: HttpRequest) -> JsonResponse:
    """To a program."""
    return JsonResponse({"error": "slow_down"}, status=429, headers={"Retry-After": "60"})
