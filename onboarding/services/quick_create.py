"""A partner's click that fills in CloudFormation's own page with our template."""

import structlog
from django.conf import settings

from onboarding.aws.clients import TemplateIdentity
from onboarding.aws.errors import AwsUnavailable
from onboarding.aws.s3 import TemplateBucket, put_template
from onboarding.core.errors import OnboardingError
from onboarding.core.handoff import Form, WantedRole, Way, quick_create, text_of
from onboarding.models import ExternalAccount, Invitation
from onboarding.services import invitations

log = structlog.get_logger(__name__)


class NoQuickCreate(OnboardingError):
    """No link this time: the bucket is away, or its link is longer than CloudFormation's page takes."""


def is_offered(account: ExternalAccount) -> bool:
    """CloudFormation reads no bucket of another partition."""
    here = quick_create.partition_of(settings.TEMPLATE_BUCKET_REGION)
    return bool(settings.TEMPLATE_BUCKET) and here == account.partition


def link_for(wanted: WantedRole, invitation: Invitation) -> str:
    """Where to send the partner's browser. Raises `NoQuickCreate`."""
    identity = TemplateIdentity(
        region=settings.TEMPLATE_BUCKET_REGION,
        access_key_id=settings.TEMPLATE_ACCESS_KEY_ID,
        secret_access_key=settings.TEMPLATE_SECRET_ACCESS_KEY,
    )
    template = text_of(Form.CLOUDFORMATION, wanted, Way.CREATE).text
    try:
        address = put_template(TemplateBucket(settings.TEMPLATE_BUCKET, identity), template)
    except AwsUnavailable as error:
        log.warning("template_not_put", code=error.code)
        raise NoQuickCreate from error
    if len(address) > settings.TEMPLATE_URL_LIMIT:
        log.warning("template_link_too_long", length=len(address))
        raise NoQuickCreate
    invitations.note_copied(invitation)
    return _console(wanted, address)


def _console(wanted: WantedRole, address: str) -> str:
    name = quick_create.stack_name(wanted.arn.name)
    if settings.SANDBOX:
        review = quick_create.review(address, name)
        return f"{settings.SANDBOX_CONSOLE_URL}{review}&account={wanted.arn.account_id}"
    return quick_create.link(region=settings.TEMPLATE_BUCKET_REGION, template_url=address, stack_name=name)
