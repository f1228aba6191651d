"""The config as the employee's page shows it: how it begins, what to type, and one role as the example."""

from collections.abc import Iterable
from dataclasses import dataclass

import structlog
from django.utils.translation import ngettext

from onboarding.core import states
from onboarding.core.awsconfig import PartnerProfile
from onboarding.core.errors import OnboardingError
from onboarding.models import ExternalRole, Person
from onboarding.services import config
from onboarding.services.choices import Choices
from onboarding.services.config import ConfigSnippet

log = structlog.get_logger(__name__)

# So many partner profiles are shown; all are copied and downloaded.
_PREVIEWED = 2


def snippet_for(
    person: Person, roles: Iterable[ExternalRole], *, choices: Choices | None = None
) -> ConfigSnippet | None:
    """None where a stored value could become syntax in the file: then nothing of it is offered."""
    try:
        return config.config_snippet(person, roles, choices=choices)
    except OnboardingError as error:
        where = {name: getattr(error, name, "") for name in ("section", "key", "name")}
        log.error("config_not_offered", person=str(person.uuid), error=type(error).__name__, **where)  # noqa: TRY400
        return None


@dataclass(frozen=True, slots=True)
class System:
    """What is typed there to put the file in place, and to get the AWS CLI."""

    key: str
    place: str
    install: str


_PLACE_UNIX = "mkdir -p ~/.aws\nmv -i ~/Downloads/config ~/.aws/config"
_SYSTEMS = (
    System("macos", _PLACE_UNIX, "brew install awscli"),
    System(
        "linux",
        _PLACE_UNIX,
        'curl -o awscli.zip "https://awscli.amazonaws.com/awscli-exe-linux-$(uname -m).zip"\n'
        "unzip -q awscli.zip\n"
        "sudo ./aws/install --update",
    ),
    # Without -Force, PowerShell moves nothing over a file that is there.
    System(
        "windows",
        "mkdir -Force ~\\.aws\nmv ~\\Downloads\\config ~\\.aws\\config",
        "winget install --exact --id Amazon.AWSCLI",
    ),
)


@dataclass(frozen=True, slots=True)
class Replacing:
    """How a merged file takes the place of the old one, which stays beside it."""

    unix: str = "cp ~/.aws/config ~/.aws/config.before\nmv ~/Downloads/config ~/.aws/config"
    windows: str = "cp ~\\.aws\\config ~\\.aws\\config.before\nmv -Force ~\\Downloads\\config ~\\.aws\\config"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    text: str
    preview: str
    marks: dict[int, str]
    example: PartnerProfile
    sign_in: str
    has_console: bool
    systems: tuple[System, ...] = _SYSTEMS

    @classmethod
    def of(cls, snippet: ConfigSnippet) -> "Offer":
        text = snippet.file_text
        preview, marks = _preview(snippet, text)
        sign_in = [f"aws sso login --sso-session {session.name}" for session in snippet.config.sessions]
        return cls(
            text=text,
            preview=preview,
            marks=marks,
            example=_example(snippet),
            sign_in="\n".join(sign_in),
            has_console=any(role.console_access for role in snippet.roles),
        )

    @property
    def lines(self) -> int:
        return self.text.count("\n")

    @property
    def use(self) -> str:
        return f"aws s3 ls --profile {self.example.name}"

    @property
    def check(self) -> str:
        return f"aws sts get-caller-identity --profile {self.example.name}"

    @property
    def check_bastion(self) -> str:
        return f"aws sts get-caller-identity --profile {self.example.source_profile}"

    @property
    def set_unix(self) -> str:
        return f"export AWS_PROFILE={self.example.name}\ncdk diff"

    @property
    def set_windows(self) -> str:
        return f'$env:AWS_PROFILE = "{self.example.name}"\ncdk diff'

    @property
    def python(self) -> str:
        return f'session = boto3.Session(profile_name="{self.example.name}")\ns3 = session.client("s3")'

    @property
    def javascript(self) -> str:
        return f'const credentials = fromIni({{ profile: "{self.example.name}" }});'

    @property
    def terraform(self) -> str:
        return f'provider "aws" {{\n  profile = "{self.example.name}"\n  region  = "{self.example.region}"\n}}'


def _example(snippet: ConfigSnippet) -> PartnerProfile:
    """A role that surely opens, if there is one."""
    pairs = zip(snippet.roles, snippet.config.partners, strict=True)
    proven = (profile for role, profile in pairs if role.state == states.State.PROVEN)
    return next(proven, snippet.config.partners[0])


def _preview(snippet: ConfigSnippet, text: str) -> tuple[str, dict[int, str]]:
    left = len(snippet.roles) - _PREVIEWED
    if left <= 1:
        return text, {}
    # No value holds a line break, so an empty line stands between sections and nowhere else.
    beginning = text.rsplit("\n\n", left)[0]
    gap = ngettext("… %(count)d more profile", "… %(count)d more profiles", left) % {"count": left}
    return f"{beginning}\n\n{gap}", {beginning.count("\n") + 3: "gap"}
