"""What every page needs to know about this portal: who runs it, and how people sign in."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    organization: str
    contact_name: str
    contact_email: str
    sandbox: bool
    sandbox_console_url: str
    sandbox_mailbox_url: str
    version: str
    # The reader's, as the footer names it: "Asia/Tokyo (UTC+09:00)".
    time_zone: str
    local_accounts: bool
    # Empty where no identity provider is configured.
    oidc_name: str


def portal(_request: HttpRequest) -> dict[str, Portal]:
    return {
        "portal": Portal(
            organization=settings.ORGANIZATION_NAME,
            contact_name=settings.CONTACT_NAME,
            contact_email=settings.CONTACT_EMAIL,
            sandbox=settings.SANDBOX,
            sandbox_console_url=settings.SANDBOX_CONSOLE_URL,
            sandbox_mailbox_url=settings.SANDBOX_MAILBOX_URL,
            version=settings.PRODUCT_VERSION,
            time_zone=_time_zone(),
            local_accounts=settings.LOCAL_ACCOUNTS,
            oidc_name=_oidc_name(),
        )
    }


def _time_zone() -> str:
    name, offset = str(timezone.get_current_timezone()), timezone.localtime().strftime("%z")
    return name if name == "UTC" else f"{name} (UTC{offset[:3]}:{offset[3:]})"


def _oidc_name() -> str:
    apps = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
    return str(apps[0]["name"]) if apps else ""
