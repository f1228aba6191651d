"""Sign-in by django-allauth: nobody signs up here, and the organization's provider says who may do what."""

from smtplib import SMTPException
from typing import Any

import requests
import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import ResetPasswordForm
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.shortcuts import render
from django.utils.translation import gettext as _

from onboarding.models import Person, PortalRole
from onboarding.services import people
from onboarding.services.mailing import MailUnavailable

log = structlog.get_logger(__name__)


def display_name(person: Person) -> str:
    return person.display_name


def mail_password_link(request: HttpRequest, person: Person) -> None:
    """The mail with which a new person sets a password, and any other a new one. Raises `MailUnavailable`."""
    form = ResetPasswordForm({"email": person.email})
    form.full_clean()
    try:
        form.save(request)
    except (SMTPException, OSError) as error:
        raise MailUnavailable(type(error).__name__) from error


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Local accounts are made by a platform admin, or by `manage.py bootstrap`."""

    def is_open_for_signup(self, _request: HttpRequest) -> bool:
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Person | None:
        if not settings.LOCAL_ACCOUNTS:
            return None
        person: Person | None = super().authenticate(request, **credentials)
        # A password would go around the provider, and around what it takes away.
        return None if person and _follows_provider(person) else person


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """The provider is the organization's own: whom it lets in is a person here, with the groups that it names."""

    def is_open_for_signup(self, _request: HttpRequest, _sociallogin: SocialLogin) -> bool:
        return True

    def validate_disconnect(self, _account: SocialAccount, _accounts: Any) -> None:
        """Who could cut the connection could go on with a password after the provider let them go."""
        raise ValidationError(_("The provider says what you may do here, so the connection stays."))

    def get_requests_session(self) -> requests.Session:
        """A provider that does not answer is told as a page; allauth looks for that in one of three places only."""
        session: requests.Session = super().get_requests_session()
        ask = session.request

        def asked(method: str, *args: Any, **options: Any) -> requests.Response:
            try:
                answer = ask(method, *args, **options)
                if method.upper() == "GET":
                    answer.raise_for_status()
            except requests.RequestException as error:
                log.warning("provider_unreachable", error=type(error).__name__)
                page = render(context.request, "socialaccount/provider_away.html", status=503)
                raise ImmediateHttpResponse(page) from error
            return answer

        session.request = asked  # type: ignore[method-assign]
        return session

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> Person:
        person: Person = super().populate_user(request, sociallogin, data)
        person.email = person.email.lower()
        return person

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> Person:
        person: Person = super().save_user(request, sociallogin, form)
        people.follow_provider(person, claimed_role(sociallogin), claimed_groups(sociallogin))
        return person

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Every sign-in follows the provider anew: who left a group there has left it here."""
        is_known = sociallogin.account.pk is not None
        if not is_known and not _brings_address(sociallogin):
            raise ImmediateHttpResponse(render(request, "socialaccount/no_address.html", status=403))
        if sociallogin.is_existing:
            people.follow_provider(sociallogin.user, claimed_role(sociallogin), claimed_groups(sociallogin))


def _follows_provider(person: Person) -> bool:
    has_provider = bool(settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"])
    return has_provider and SocialAccount.objects.filter(user=person).exists()


def _brings_address(sociallogin: SocialLogin) -> bool:
    """The address is who a person is, in the partner's logs too, so nobody may type it or claim it unproven."""
    return bool(sociallogin.email_addresses) and _claim(sociallogin, "email_verified") not in (False, "false")


def claimed_groups(sociallogin: SocialLogin) -> frozenset[str] | None:
    """The groups claim; None where groups are kept in the portal. A claim that is absent means no groups."""
    if not settings.OIDC_GROUPS_CLAIM:
        return None
    claimed = _claim(sociallogin, settings.OIDC_GROUPS_CLAIM)
    names = [claimed] if isinstance(claimed, str) else claimed if isinstance(claimed, list) else []
    return frozenset(name.strip() for name in names if isinstance(name, str) and 0 < len(name.strip()) <= _MAX_GROUP)


def claimed_role(sociallogin: SocialLogin) -> PortalRole | None:
    """None where no admin group is configured, so that roles are given in the portal."""
    groups = claimed_groups(sociallogin)
    if groups is None or not settings.OIDC_ADMIN_GROUP:
        return None
    return PortalRole.PLATFORM_ADMIN if settings.OIDC_ADMIN_GROUP in groups else PortalRole.EMPLOYEE


# Django's limit for a group's name.
_MAX_GROUP = 150


def _claim(sociallogin: SocialLogin, name: str) -> object:
    told = sociallogin.account.extra_data
    for source in ("userinfo", "id_token"):
        if name in (told.get(source) or {}):
            claim: object = told[source][name]
            return claim
    return None
