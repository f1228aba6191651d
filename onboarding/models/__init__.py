"""What is stored: constraints and reads; no AWS, no mail, no workflow."""

from onboarding.models.access import Grant
from onboarding.models.alert import Alert, AlertEntry, AlertRoute, Channel, Delivery
from onboarding.models.audit import AuditEvent, AuditHead
from onboarding.models.bastion import Bastion, PermissionSet
from onboarding.models.choices import ConfigChoices, ProfileChoice
from onboarding.models.client import ClientCode, ClientToken
from onboarding.models.history import ThinnedHistory
from onboarding.models.invitation import Invitation
from onboarding.models.mail import Mail, MailKind
from onboarding.models.partner import ExternalAccount, ExternalRole, Partner
from onboarding.models.person import Person, PortalRole
from onboarding.models.proof import Proof
from onboarding.models.trust_reading import ReadingSource, TrustReading
from onboarding.models.validation import Trigger, Validation
from onboarding.models.validation_round import ValidationRound

__all__ = [
    "Alert",
    "AlertEntry",
    "AlertRoute",
    "AuditEvent",
    "AuditHead",
    "Bastion",
    "Channel",
    "ClientCode",
    "ClientToken",
    "ConfigChoices",
    "Delivery",
    "ExternalAccount",
    "ExternalRole",
    "Grant",
    "Invitation",
    "Mail",
    "MailKind",
    "Partner",
    "PermissionSet",
    "Person",
    "PortalRole",
    "ProfileChoice",
    "Proof",
    "ReadingSource",
    "ThinnedHistory",
    "Trigger",
    "TrustReading",
    "Validation",
    "ValidationRound",
]
