"""The text of a config, from values that are checked again here and read back before anyone gets them."""

import configparser
import re
from collections.abc import Callable, Iterable
from itertools import islice

from onboarding.core import identifiers
from onboarding.core.arns import AccountId, Partition
from onboarding.core.awsconfig.sections import AwsConfig, ConfigSection, OutputFormat, SsoSession
from onboarding.core.errors import DuplicateProfile, OnboardingError, UnsafeConfigValue

_Settings = dict[str, str]


def render(config: AwsConfig) -> str:
    """Raises `UnsafeConfigValue` or `DuplicateProfile`; then there is nothing to offer."""
    text = render_sections(config.sections, output=config.output)
    _refuse_dangling(config)
    return text


def render_sections(sections: Iterable[ConfigSection], *, output: OutputFormat | None = None) -> str:
    """The checks that hold for every file; whether one section refers to another is the caller's to know."""
    meant = _checked_sections(sections, output)
    texts = [_section_text(header, settings) for header, settings in meant.items()]
    _read_back(texts, meant)
    return "\n".join(texts)


def _section_text(header: str, settings: _Settings) -> str:
    lines = [f"{key} = {value}" for key, value in settings.items()]
    return "\n".join([f"[{header}]", *lines, ""])


def _checked_sections(sections: Iterable[ConfigSection], output: OutputFormat | None) -> dict[str, _Settings]:
    """Every value against its own grammar, whoever checked it before: one newline here would run a command there."""
    # Most values repeat from profile to profile; each needs one look.
    passed: dict[str, set[str]] = {key: set() for key in _GRAMMARS}
    meant: dict[str, _Settings] = {}
    for section in sections:
        settings = section.settings
        if output and not isinstance(section, SsoSession):
            settings["output"] = output
        _refuse_illegal(section.header, {"name": section.name}, passed)
        _refuse_illegal(section.header, settings, passed)
        if section.header in meant:
            raise DuplicateProfile(section.name)
        meant[section.header] = settings
    return meant


def _refuse_illegal(header: str, settings: _Settings, passed: dict[str, set[str]]) -> None:
    for key, value in settings.items():
        if value in passed[key]:
            continue
        if not _GRAMMARS[key](value):
            raise UnsafeConfigValue(section=header, key=key, found=value)
        passed[key].add(value)


def _parsed_by(parse: Callable[[str], object]) -> Callable[[str], bool]:
    """The parsers trim what people paste; here a value that needs trimming is a wrong value."""

    def is_legal(value: str) -> bool:
        try:
            return parse(value) == value
        except (OnboardingError, ValueError):
            return False

    return is_legal


def _is_role_arn(value: str) -> bool:
    return _ROLE_ARN.fullmatch(value) is not None


# `RoleArn.parse` says what is wrong with an ARN; this says only that it is right, at a tenth of the cost.
_ROLE_ARN = re.compile(
    rf"arn:(?:{'|'.join(Partition)}):iam::[0-9]{{12}}:role/(?!aws-reserved/|aws-service-role/)(?!.{{511}}.*/)"
    r"(?:[A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]{1,64}(?<!,)"
)
_is_profile_name = _parsed_by(identifiers.parse_profile_name)
_is_region = _parsed_by(identifiers.parse_region)
_GRAMMARS: dict[str, Callable[[str], bool]] = {
    "name": _is_profile_name,
    "sso_start_url": _parsed_by(identifiers.parse_start_url),
    "sso_region": _is_region,
    "sso_registration_scopes": _parsed_by(identifiers.parse_registration_scopes),
    "sso_session": _is_profile_name,
    "sso_account_id": _parsed_by(AccountId.parse),
    "sso_role_name": _parsed_by(identifiers.parse_permission_set_name),
    "aws_account_id": _parsed_by(AccountId.parse),
    "role_arn": _is_role_arn,
    "source_profile": _is_profile_name,
    "external_id": _parsed_by(identifiers.parse_external_id),
    "role_session_name": _parsed_by(identifiers.parse_session_name),
    "region": _is_region,
    "output": _parsed_by(OutputFormat),
}


def _refuse_dangling(config: AwsConfig) -> None:
    sessions = {session.name for session in config.sessions}
    bastions = {bastion.name for bastion in config.bastions}
    for bastion in config.bastions:
        if bastion.sso_session not in sessions:
            raise UnsafeConfigValue(section=bastion.header, key="sso_session", found=bastion.sso_session)
    for partner in config.partners:
        if partner.source_profile not in bastions:
            raise UnsafeConfigValue(section=partner.header, key="source_profile", found=partner.source_profile)


# A parser that holds thousands of sections makes the garbage collector walk them again and again.
_SECTIONS_AT_A_TIME = 20


def _read_back(texts: list[str], meant: dict[str, _Settings]) -> None:
    """What AWS's clients will find must be what was meant, and nothing else.

    Every text begins with a header, which ends whatever came before it, so the pieces mean what the whole does.
    """
    parser = _StrictParser(comment_prefixes=())
    # `getint` and its like, made anew for every section: a sixth of the time, and nobody asks for them here.
    parser.converters.clear()
    sections = iter(meant.items())
    for start in range(0, len(texts), _SECTIONS_AT_A_TIME):
        found = _read(parser, "\n".join(texts[start : start + _SECTIONS_AT_A_TIME]))
        if found != dict(islice(sections, _SECTIONS_AT_A_TIME)):
            raise UnsafeConfigValue(section="", key="", found="other settings than were meant")


def _read(parser: configparser.RawConfigParser, text: str) -> dict[str, _Settings]:
    # Before a parser strips them: a file's lines end where a carriage return stands, a string's do not.
    if not text.isascii() or not text.replace("\n", "").isprintable():
        raise UnsafeConfigValue(section="", key="", found="a control character")
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise UnsafeConfigValue(section="", key="", found=type(error).__name__) from error
    found = {header: dict(parser.items(header)) for header in parser.sections()}
    for header in found:
        parser.remove_section(header)
    return found


class _StrictParser(configparser.RawConfigParser):
    """botocore's parser, narrowed to the lines that we write: `[DEFAULT]`, a comment, a stray space are errors."""

    SECTCRE = re.compile(r"\[(?P<header>(?:profile|sso-session) [A-Za-z0-9_-]+)\]$")
    OPTCRE = re.compile(r"(?P<option>[a-z_]+) (?P<vi>=) (?P<value>[!-~]+)$")
