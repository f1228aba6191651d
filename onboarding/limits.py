"""How often somebody may ask: counted in the cache, for each link, each address and each person."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from ipaddress import ip_network
from time import time
from typing import Any, Final

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render

from onboarding.core import identifiers


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` in each window of `seconds`."""

    name: str
    most: int
    seconds: int

    def takes(self, whose: str) -> bool:
        """Counts once, and says whether that was still within the limit."""
        # No part of an address or a token stands in the cache in clear.
        key = f"limit:{self.name}:{identifiers.token_digest(whose)}:{int(time()) // self.seconds}"
        if cache.add(key, 1, self.seconds):
            return self.most >= 1
        try:
            return cache.incr(key) <= self.most
        except ValueError:
            # The window ended between the two calls.
            return self.most >= 1


# A whole company may sit behind one address, and a mail scanner opens what its people open.
OPENINGS_OF_ADDRESS: Final = Limit("open-address", 60, 600)
OPENINGS_OF_LINK: Final = Limit("open-link", 60, 600)
FORMS_OF_ADDRESS: Final = Limit("forms-address", 240, 600)
FORMS_OF_LINK: Final = Limit("forms-link", 120, 600)


def may_open(request: HttpRequest, link_token: str) -> bool:
    """Unknown links count alike, so that the answer tells nothing about a link."""
    return OPENINGS_OF_ADDRESS.takes(by_address(request)) and OPENINGS_OF_LINK.takes(link_token)


def may_send_form(request: HttpRequest, link: object) -> bool:
    return FORMS_OF_ADDRESS.takes(by_address(request)) and FORMS_OF_LINK.takes(str(link))


View = Callable[..., HttpResponseBase]
Whose = Callable[[HttpRequest], str]
Refuse = Callable[..., HttpResponse]
_A_MINUTE = 60


def too_many(request: HttpRequest, *, seconds: int) -> HttpResponse:
    """To a person."""
    answer = render(request, "429.html", status=429)
    answer.headers["Retry-After"] = str(seconds)
    return answer


def slow_down(_request: HttpRequest, *, seconds: int) -> HttpResponse:
    """To a program."""
    return JsonResponse({"error": "slow_down"}, status=429, headers={"Retry-After": str(seconds)})


def by_person(request: HttpRequest) -> str:
    return str(request.user.pk)


def by_address(request: HttpRequest) -> str:
    """As the trusted proxies tell it, which allauth reads; of IPv6 the network that one customer has."""
    address: str = get_adapter(request).get_client_ip(request)
    return str(ip_network(f"{address}/64", strict=False)) if ":" in address else address


def limited(most: int, whose: Whose, *, refuse: Refuse = too_many) -> Callable[[View], View]:
    """At most `most` in a minute, `by_address` or `by_person`; the view's own name tells its count from others."""

    def decorate(view: View) -> View:
        limit = Limit(view.__name__, most, _A_MINUTE)

        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not limit.takes(whose(request)):
                return refuse(request, seconds=limit.seconds)
            return view(request, *args, **kwargs)

        return answer

    return decorate
