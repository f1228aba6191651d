"""Partners, their accounts, and the roles that we ask for there."""

import json
from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Count, Exists, OuterRef, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from onboarding.core import states, trust
from onboarding.core.arns import AccountId, Partition, PolicyArn, RoleArn
from onboarding.core.handoff import Permissions
from onboarding.core.identifiers import tag_lines
from onboarding.models.base import Addressed
from onboarding.models.bastion import PermissionSet


class PartnerQuerySet(models.QuerySet["Partner"]):
    def matching(self, text: str) -> Self:
        """By name, contact, account ID or role ARN."""
        found = Q(name__icontains=text) | Q(contact_name__icontains=text) | Q(contact_email__icontains=text)
        if digits := _digits(text):
            accounts = ExternalAccount.objects.filter(account_id__startswith=digits)
            found |= Q(pk__in=accounts.values("partner"))
        if text.startswith("arn:"):
            found |= Q(pk__in=ExternalRole.objects.filter(role_arn=text).values("account__partner"))
        return self.filter(found)

    def standing(self, standing: str) -> Self:
        roles = ExternalRole.objects.live().standing(standing)
        return self.filter(Exists(roles.filter(account__partner=OuterRef("pk"))))


class Partner(Addressed):
    name = models.CharField(max_length=100)
    slug = models.CharField(max_length=40, unique=True)
    # Empty: the page speaks as the reader's browser does, and mails as the portal does.
    language = models.CharField(max_length=10, choices=settings.LANGUAGES, default="en", blank=True)
    contact_name = models.CharField(max_length=100)
    contact_email = models.EmailField()
    # Whether alerts about their roles are mailed to the contact as well.
    is_alerted = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    objects = PartnerQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(Lower("name"), name="one_partner_per_name")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def mail_language(self) -> str:
        """A mail has no browser to ask."""
        return self.language or settings.LANGUAGE_CODE


class ExternalAccountQuerySet(models.QuerySet["ExternalAccount"]):
    def live(self) -> Self:
        return self.filter(retired_at=None)

    def with_role_in(self, state: states.State) -> Self:
        return self.filter(Exists(ExternalRole.objects.filter(account=OuterRef("pk"), state=state)))


class ExternalAccount(Addressed):
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="accounts")
    partition = models.CharField(max_length=16, choices=[(p, p) for p in Partition])
    account_id = models.CharField(max_length=12)
    label = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = ExternalAccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["partition", "account_id"],
                condition=Q(retired_at=None),
                name="one_live_registration_per_account",
            ),
        ]
        ordering = ["account_id"]

    def __str__(self) -> str:
        return self.account_id

    @property
    def number(self) -> AccountId:
        return AccountId(self.account_id)

    @property
    def named(self) -> str:
        """For prose: the number in groups, and our own name for it where there is one."""
        return f"{self.number.grouped}, {self.label}" if self.label else self.number.grouped


_PROVEN = [states.State.PROVEN, states.State.SUSPECT]
# What the lists of roles and partners filter by: where a role stands, and whose turn that makes it.
STANDINGS = {
    "unsafe": Q(state=states.State.UNSAFE),
    "broken": Q(state__in=[states.State.REFUSED, states.State.SUSPECT, states.State.BROKEN]),
    "ours": Q(state=states.State.REGISTERED) | ~Q(offered_arn=""),
    "theirs": Q(state__in=[states.State.INVITED, states.State.REFUSED, states.State.UNSAFE, states.State.BROKEN]),
    "checking": Q(state__in=[states.State.RETURNED, states.State.NOT_YET]),
    "proven": Q(state=states.State.PROVEN, first_used_at=None),
    "used": Q(state=states.State.PROVEN, first_used_at__isnull=False),
    "paused": Q(state__in=[states.State.SUSPENDED, states.State.RETIRING]),
}


class ExternalRoleQuerySet(models.QuerySet["ExternalRole"]):
    def live(self) -> Self:
        return self.exclude(state=states.State.RETIRED)

    def due(self, now: datetime) -> Self:
        """The longest overdue first."""
        return self.filter(next_check_at__lte=now).order_by("next_check_at")

    def standing(self, standing: str) -> Self:
        return self.filter(STANDINGS[standing])

    def counted_by_standing(self, *, partners: bool = False) -> dict[str, int]:
        """How many live roles, or how many partners with such a role, stand where; in one query."""
        what = "account__partner" if partners else "pk"
        counts = {name: Count(what, filter=standing, distinct=partners) for name, standing in STANDINGS.items()}
        return self.aggregate(**counts)

    def counted_by_stone(self) -> list[int]:
        """How many roles have come to each of the five stones; what cracked has not come to the fourth."""
        at = [
            Q(pk__isnull=False),
            ~Q(state=states.State.REGISTERED),
            ~Q(role_arn=""),
            Q(state__in=_PROVEN),
            Q(state__in=_PROVEN, first_used_at__isnull=False),
        ]
        counts = self.aggregate(**{f"stone{number}": Count("pk", filter=q) for number, q in enumerate(at)})
        return list(counts.values())

    def needing_attention(self) -> Self:
        return self.filter(state__in=states.NEEDS_ATTENTION)

    def probed(self) -> Self:
        """Whose door is tried: those in use, and those that shall be shut."""
        return self.filter(state__in=states.PROBED)

    def open_too_long(self, begun_before: datetime) -> Self:
        """Being retired for longer than that, and never seen shut since it was last seen open."""
        return self.filter(state=states.State.RETIRING, seen_shut_at=None, retirement_begun_at__lt=begun_before)

    def offered(self) -> Self:
        return self.live().exclude(offered_arn="")

    def with_owner(self) -> Self:
        return self.select_related("account__partner", "permission_set__bastion")

    def matching(self, text: str) -> Self:
        """Table by table: an OR over joined columns cannot use their indexes."""
        digits = _digits(text)
        found = (
            Q(role_name__icontains=text)
            | Q(profile_name__icontains=text)
            | Q(account__in=ExternalAccount.objects.filter(partner__in=Partner.objects.filter(name__icontains=text)))
        )
        if digits:
            found |= Q(account__in=ExternalAccount.objects.filter(account_id__startswith=digits))
        if text.startswith("arn:"):
            found |= Q(role_arn=text.strip())
        return self.filter(found)


class ExternalRole(Addressed):
    """One IAM role that a partner makes for us. `state` moves by `core.states` only."""

    account = models.ForeignKey(ExternalAccount, on_delete=models.PROTECT, related_name="roles")
    permission_set = models.ForeignKey(PermissionSet, on_delete=models.PROTECT, related_name="external_roles")
    # No secret, but ours, random and never reused; set once at registration.
    external_id = models.CharField(max_length=64, unique=True, editable=False)
    role_name = models.CharField(max_length=64)
    role_path = models.CharField(max_length=512, default="/")
    profile_name = models.CharField(max_length=64)
    region = models.CharField(max_length=32)
    # The partner reads this sentence word for word.
    purpose = models.TextField(max_length=500)
    permissions_wanted = models.TextField(max_length=2000, blank=True)
    # What the role is to be given: a managed policy by its ARN, or a document, or neither where the partner decides.
    managed_policy = models.CharField(max_length=700, blank=True)
    permissions_policy = models.TextField(blank=True)
    permissions_boundary = models.CharField(max_length=700, blank=True)
    tags = models.JSONField(default=dict, blank=True)
    trust_style = models.CharField(
        max_length=24,
        choices=[
            (trust.TrustStyle.ACCOUNT_AND_CONDITION, _("Account and condition")),
            (trust.TrustStyle.EXACT_ROLE, _("Exact role")),
        ],
        default=trust.TrustStyle.ACCOUNT_AND_CONDITION,
    )
    console_access = models.BooleanField(default=False)

    role_arn = models.CharField(max_length=600, blank=True)
    returned_at = models.DateTimeField(null=True, blank=True)
    # Offered by the partner for a role that was already proven; an admin must agree.
    offered_arn = models.CharField(max_length=600, blank=True)
    offered_at = models.DateTimeField(null=True, blank=True)

    state = models.CharField(max_length=12, choices=[(s, s) for s in states.State], default=states.State.REGISTERED)
    state_since = models.DateTimeField()
    first_proven_at = models.DateTimeField(null=True, blank=True)
    last_proven_at = models.DateTimeField(null=True, blank=True)
    first_used_at = models.DateTimeField(null=True, blank=True)
    # When the partner said by themselves that the work ends.
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    # When the first of the checks failed that have failed in a row; null while all is well.
    failing_since = models.DateTimeField(null=True, blank=True)
    next_check_at = models.DateTimeField(null=True, blank=True)
    # When the work ended; since when the door was seen shut and never open; when the partner said that it is gone.
    retirement_begun_at = models.DateTimeField(null=True, blank=True)
    seen_shut_at = models.DateTimeField(null=True, blank=True)
    said_deleted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    objects = ExternalRoleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["role_arn"],
                condition=~Q(role_arn="") & ~Q(state=states.State.RETIRED),
                name="one_live_role_per_arn",
            ),
            models.UniqueConstraint(
                fields=["profile_name"],
                condition=~Q(state=states.State.RETIRED),
                name="one_live_role_per_profile_name",
            ),
            models.CheckConstraint(
                condition=~Q(role_arn="")
                | Q(state__in=[states.State.REGISTERED, states.State.INVITED, states.State.RETIRED]),
                name="checked_roles_have_an_arn",
            ),
            models.CheckConstraint(
                condition=Q(managed_policy="") | Q(permissions_policy=""), name="one_kind_of_permissions_per_role"
            ),
            models.CheckConstraint(condition=Q(state__in=list(states.State)), name="role_state_is_known"),
            # Nothing that has to be checked can be forgotten, whatever becomes of its validations.
            models.CheckConstraint(
                condition=~Q(state__in=sorted(states.PROBED)) | Q(next_check_at__isnull=False),
                name="probed_roles_have_a_next_check",
            ),
        ]
        indexes = [
            models.Index(fields=["next_check_at"], condition=Q(next_check_at__isnull=False), name="role_due"),
            models.Index(fields=["state", "role_name", "id"], name="role_by_state"),
            models.Index(fields=["role_name", "id"], name="role_by_name"),
        ]

    def __str__(self) -> str:
        return self.role_name

    @property
    def arn(self) -> RoleArn | None:
        return RoleArn.parse(self.role_arn) if self.role_arn else None

    @property
    def asked_arn(self) -> RoleArn:
        """The ARN of the role that the partner was asked to make, whatever was returned."""
        return RoleArn(Partition(self.account.partition), self.account.number, self.role_path, self.role_name)

    @property
    def permissions(self) -> Permissions:
        return Permissions(
            managed_policy=self._policy(self.managed_policy),
            document=json.loads(self.permissions_policy) if self.permissions_policy else None,
            boundary=self._policy(self.permissions_boundary),
        )

    @property
    def asks_for_permissions(self) -> bool:
        return bool(self.managed_policy or self.permissions_policy or self.permissions_boundary)

    @property
    def tag_lines(self) -> list[str]:
        return tag_lines(self.tags)

    def _policy(self, arn: str) -> PolicyArn | None:
        return PolicyArn.parse(arn, partition=Partition(self.account.partition)) if arn else None

    @property
    def is_used(self) -> bool:
        return self.first_used_at is not None

    @property
    def trust_policy(self) -> trust.Document:
        """What we ask the partner to paste. Raises `SsoRoleUnknown`, `PolicyTooLong`."""
        return trust.trust_policy(
            self.permission_set.callers,
            external_id=self.external_id,
            style=trust.TrustStyle(self.trust_style),
            console_access=self.console_access,
        )

    @property
    def is_correctable(self) -> bool:
        return self.state in states.CORRECTABLE

    @property
    def is_checked(self) -> bool:
        return self.state in states.CHECKED

    @property
    def is_probed(self) -> bool:
        """Also a role that is being retired: its door is tried until it is shut."""
        return self.state in states.PROBED

    @property
    def is_freely_replaceable(self) -> bool:
        return self.state in states.FREELY_REPLACEABLE and self.first_proven_at is None

    @property
    def is_withdrawable(self) -> bool:
        """Not while its end has begun already."""
        return self.state in states.LIVE - {states.State.RETIRING}

    @property
    def is_handed_out(self) -> bool:
        return self.state in states.HANDED_OUT


def _digits(text: str) -> str:
    digits = text.replace(" ", "").replace("-", "")
    return digits if digits.isascii() and digits.isdecimal() else ""
