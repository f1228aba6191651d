"""`manage.py bootstrap`: the first platform admin, and what is still to set up. It may be run again at any time."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from urllib.parse import urlsplit

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.urls import reverse

from onboarding.core.probes import VerdictCode
from onboarding.models import Bastion, PermissionSet, Person, Validation
from onboarding.services import people


class Command(BaseCommand):
    requires_migrations_checks = True
    help = "Makes a platform admin, or one of an existing person, and says what is still to set up."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", required=True, help="the admin's e-mail address, with which they sign in")
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            help="read the password from the first line of standard input; without it, a link to set one is printed",
        )

    def handle(self, *_args: object, **options: object) -> None:
        email = _parsed_email(str(options["email"]))
        password = _read_password(email) if options["password_stdin"] else None
        person = people.appoint_admin(email, password=password)
        self.stdout.write(f"{person.email} is a platform admin.")
        for line in _ways_in(person):
            self.stdout.write(line)
        self._list_open_points()

    def _list_open_points(self) -> None:
        points = list(_open_points())
        if not points:
            self.stdout.write("\nEverything is set up.")
            return
        self.stdout.write("\nStill to set up:")
        for point in points:
            self.stdout.write(f"  - {point}")


def _parsed_email(text: str) -> str:
    email = text.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise CommandError(f"{text!r} is not an e-mail address. Nothing changed.") from None
    return email


def _read_password(email: str) -> str:
    if not settings.LOCAL_ACCOUNTS:
        raise CommandError("LOCAL_ACCOUNTS is off, so nobody signs in with a password here. Nothing changed.")
    password = sys.stdin.readline().rstrip("\r\n")
    try:
        validate_password(password, Person(email=email))
    except ValidationError as error:
        raise CommandError(" ".join(["The password was not taken:", *error.messages, "Nothing changed."])) from None
    return password


def _ways_in(person: Person) -> Iterator[str]:
    apps = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
    if apps:
        yield f"They sign in at {settings.PUBLIC_URL} with {apps[0]['name']}."
    if settings.OIDC_ADMIN_GROUP:
        yield f"At each sign-in there the group {settings.OIDC_ADMIN_GROUP} decides who is a platform admin."
    if settings.LOCAL_ACCOUNTS and person.has_usable_password():
        yield f"They can sign in at {settings.PUBLIC_URL} with their password."
    elif settings.LOCAL_ACCOUNTS:
        yield f"They set a password here, once, within {settings.PASSWORD_RESET_TIMEOUT // 86_400} days:"
        yield f"  {_set_password_link(person)}"


def _set_password_link(person: Person) -> str:
    key = default_token_generator.make_token(person)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(person), "key": key})
    return f"{settings.PUBLIC_URL}{path}"


def _open_points() -> Iterator[str]:
    yield from _open_settings()
    if not Bastion.objects.exists():
        yield "The bastion account, its validator role and its permission set: sign in, then Bastion."
        return
    if not PermissionSet.objects.exists():
        yield "A permission set for the bastion account: sign in, then Bastion."
    for permission_set in PermissionSet.objects.filter(sso_role_arn="").select_related("bastion"):
        yield f"The SSO role of {permission_set} in {permission_set.bastion}: find it on the bastion's page."
    if not Validation.objects.exclude(verdict__in=["", VerdictCode.OUR_TROUBLE]).exists():
        yield (
            "The worker's AWS identity, which may assume the validator role: no validation has come to a verdict yet."
        )


def _open_settings() -> Iterator[str]:
    if settings.ORGANIZATION_NAME == "Your organization":
        yield "ORGANIZATION_NAME: partners cannot tell who asks them."
    if not settings.CONTACT_EMAIL:
        yield "CONTACT_EMAIL: who holds a dead link has nobody to ask."
    if settings.EMAIL_BACKEND == "django.core.mail.backends.console.EmailBackend":
        yield "EMAIL_URL: mails are printed by the processes and not sent."
    if urlsplit(settings.PUBLIC_URL).scheme != "https":
        yield f"PUBLIC_URL: {settings.PUBLIC_URL} is not https, so links and sessions could be read on their way."
    if settings.SANDBOX:
        yield "SANDBOX: this portal talks to a local stand-in and not to AWS."
    if settings.DEBUG:
        yield "DEBUG: errors are shown to whoever meets them."
