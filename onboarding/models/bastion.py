"""The bastion account in our own organization, and the permission sets through which employees enter it."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from onboarding.core import arns, trust
from onboarding.core.awsconfig import DEFAULT_TEMPLATE
from onboarding.core.bastion import PermissionSetPolicyStyle
from onboarding.core.probes import Probe
from onboarding.models.base import Addressed


class Bastion(Addressed):
    name = models.CharField(max_length=100, unique=True)
    partition = models.CharField(max_length=16, choices=[(p, p) for p in arns.Partition], default=arns.Partition.AWS)
    account_id = models.CharField(max_length=12)
    validator_role_arn = models.CharField(max_length=600)
    # Where the worker already runs as the validator role, it must not assume it a second time.
    worker_is_validator = models.BooleanField(default=False)
    sso_start_url = models.URLField(max_length=300)
    sso_region = models.CharField(max_length=32)
    sso_session_name = models.CharField(max_length=64)
    # For STS, and for the bastion profile.
    region = models.CharField(max_length=32)
    organization_id = models.CharField(max_length=34, blank=True)
    # Our own roles in another account of ours: one asks for no external ID, the other for one. They show that an answer
    # of AWS means what we take it for. And a role that no trust policy names.
    open_control_role_arn = models.CharField(max_length=600, blank=True)
    asking_control_role_arn = models.CharField(max_length=600, blank=True)
    stranger_role_arn = models.CharField(max_length=600, blank=True)
    controls_tried_at = models.DateTimeField(null=True, blank=True)
    # Null where they are to be tried at once.
    controls_due_at = models.DateTimeField(null=True, blank=True)
    # Null as long as they were never tried.
    controls_hold = models.BooleanField(null=True, blank=True)
    controls_probes = models.JSONField(default=list, blank=True)
    # How a role's profile is called where the admin types no name.
    profile_template = models.CharField(max_length=64, default=DEFAULT_TEMPLATE)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partition", "account_id"], name="one_bastion_per_account"),
            models.CheckConstraint(
                condition=Q(open_control_role_arn="", asking_control_role_arn="")
                | ~Q(open_control_role_arn="") & ~Q(asking_control_role_arn=""),
                name="control_roles_come_in_pairs",
            ),
        ]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def validator_role(self) -> arns.RoleArn:
        return arns.RoleArn.parse(self.validator_role_arn)

    @property
    def has_controls(self) -> bool:
        return bool(self.open_control_role_arn)

    @property
    def denials_count(self) -> bool:
        """Where our own control roles do not answer as they must, a partner's denial shows nothing."""
        return not (self.has_controls and self.controls_hold is False)

    @property
    def tried_controls(self) -> list[Probe]:
        return [Probe.from_json(stored) for stored in self.controls_probes]


class PermissionSet(Addressed):
    bastion = models.ForeignKey(Bastion, on_delete=models.PROTECT, related_name="permission_sets")
    name = models.CharField(max_length=32)
    policy_style = models.CharField(
        max_length=10,
        choices=[
            (PermissionSetPolicyStyle.EXACT, _("Exact")),
            (PermissionSetPolicyStyle.SIMPLE, _("Simple")),
        ],
        default=PermissionSetPolicyStyle.EXACT,
    )
    # As iam:ListRoles answered it; empty until it was found.
    sso_role_arn = models.CharField(max_length=200, blank=True)
    sso_role_found_at = models.DateTimeField(null=True, blank=True)
    # Which policy an admin said to have put into Identity Center: nothing there can be read from here.
    put_policy_digest = models.CharField(max_length=64, blank=True)
    put_policy_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["bastion", "name"], name="one_permission_set_per_name")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def callers(self) -> trust.Callers:
        return trust.Callers(
            partition=arns.Partition(self.bastion.partition),
            bastion_account_id=arns.AccountId(self.bastion.account_id),
            permission_set=self.name,
            identity_center_region=self.bastion.sso_region,
            validator_role=self.bastion.validator_role,
            sso_role=arns.SsoRoleArn.parse(self.sso_role_arn) if self.sso_role_arn else None,
        )
