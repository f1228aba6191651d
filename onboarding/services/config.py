"""The AWS config of one person: one profile for each role that they may use, and the way there."""

import hashlib
import io
import re
import zipfile
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from onboarding.core import awsconfig, identifiers
from onboarding.core.arns import AccountId, RoleArn
from onboarding.core.awsconfig import AwsConfig, BastionProfile, PartnerProfile, SsoSession, exports
from onboarding.models import Bastion, ExternalRole, PermissionSet, Person
from onboarding.services.choices import Choices, choices_of

_LONGEST_NAME = 64
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigSnippet:
    """`roles` are those whose profiles it holds; without any, the text is empty."""

    config: AwsConfig
    text: str
    roles: tuple[ExternalRole, ...]

    @property
    def file_text(self) -> str:
        """The text as a file of its own: between the marks by which a later merge finds it again."""
        return (awsconfig.merge(b"", self.text, {}).content or b"").decode()

    @property
    def section_texts(self) -> dict[str, str]:
        """By the section's header, in the order of the file."""
        # No value holds a line break, so an empty line stands between sections and nowhere else.
        texts = self.text.rstrip("\n").split("\n\n") if self.text else []
        return {section.header: f"{text}\n" for section, text in zip(self.config.sections, texts, strict=True)}


def config_snippet(person: Person, roles: Iterable[ExternalRole], *, choices: Choices | None = None) -> ConfigSnippet:
    """Of a person's entitled roles, those that a config may hold and the person wants, as the person wants them.

    `choices` are the person's own, where the caller has read them already.

    Raises `UnsafeConfigValue`, `DuplicateProfile` or `InvalidRoleArn`; then there is nothing to offer.
    """
    choices = choices or choices_of(person)
    entitled = sorted(roles, key=lambda role: (role.profile_name.lower(), role.profile_name))
    offered = tuple(role for role in entitled if role.is_handed_out and choices.takes(role))
    ways = _ways([role.permission_set for role in offered], taken={role.profile_name.lower() for role in entitled})
    named = partial(awsconfig.with_prefix, choices.name_prefix)
    config = AwsConfig(
        sessions=tuple(dict.fromkeys(way.session for way in ways.values())),
        bastions=tuple(replace(way.bastion, name=named(way.bastion.name)) for way in ways.values()),
        partners=tuple(
            PartnerProfile(
                name=named(role.profile_name),
                source_profile=named(ways[role.permission_set_id].bastion.name),
                role_arn=RoleArn.parse(role.role_arn),
                external_id=role.external_id,
                role_session_name=identifiers.role_session_name(person.email),
                region=choices.region(role),
            )
            for role in offered
        ),
        output=choices.output,
    )
    return ConfigSnippet(config=config, text=awsconfig.render(config), roles=offered)


def plain_text(snippet: ConfigSnippet) -> str:
    return exports.render_plain(snippet.config)


def switch_roles_text(snippet: ConfigSnippet) -> str:
    """Empty where the console was chosen for none of the roles, or where it can enter none."""
    pairs = zip(snippet.roles, snippet.config.partners, strict=True)
    names = {profile.name for role, profile in pairs if role.console_access}
    return exports.render_switch_roles(snippet.config, names)


def granted_archive(snippet: ConfigSnippet) -> bytes:
    """The same bytes for the same config, whenever it is made."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in exports.granted_registry(snippet.config).items():
            entry = zipfile.ZipInfo(f"granted-registry/{name}")
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text)
    return content.getvalue()


@dataclass(frozen=True, slots=True)
class _Way:
    """How a permission set is entered."""

    session: SsoSession
    bastion: BastionProfile


def _ways(used: Sequence[PermissionSet], *, taken: Collection[str]) -> dict[int, _Way]:
    """The way through each permission set in `used`, the oldest first.

    Names are given over all permission sets that there are, the oldest first, so that nobody's profiles change their
    names because a permission set is added or another role is granted.
    """
    wanted = {permission_set.pk for permission_set in used}
    every = PermissionSet.objects.select_related("bastion").order_by("pk") if wanted else []
    sessions = _sessions(permission_set.bastion for permission_set in every)
    names = set(taken)
    ways = {}
    for permission_set in every:
        session = sessions[permission_set.bastion_id]
        bastion = _bastion(permission_set, session, taken=names)
        names.add(bastion.name.lower())
        ways[permission_set.pk] = _Way(session, bastion)
    return {pk: way for pk, way in ways.items() if pk in wanted}


def _sessions(bastions: Iterable[Bastion]) -> dict[int, SsoSession]:
    """By bastion. Several bastion accounts often share one Identity Center, and then one session."""
    places: dict[tuple[str, str, str], SsoSession] = {}
    found = {}
    for bastion in bastions:
        place = (bastion.sso_session_name, bastion.sso_start_url, bastion.sso_region)
        if place not in places:
            places[place] = _session(bastion, taken={session.name.lower() for session in places.values()})
        found[bastion.pk] = places[place]
    return found


def _session(bastion: Bastion, *, taken: Collection[str]) -> SsoSession:
    plain = bastion.sso_session_name
    # The AWS CLI keeps its token in a file that is called after the session, so one name cannot serve two places.
    name = _first_free([plain, _joined(plain, bastion.account_id), _joined(plain, _digest(bastion))], taken)
    return SsoSession(name=name, start_url=bastion.sso_start_url, region=bastion.sso_region)


def _bastion(permission_set: PermissionSet, session: SsoSession, *, taken: Collection[str]) -> BastionProfile:
    endings = ("bastion", _NOT_IN_A_NAME.sub("-", permission_set.name).strip("-"), _digest(permission_set))
    return BastionProfile(
        name=_first_free([_joined(session.name, ending) for ending in endings], taken),
        sso_session=session.name,
        account_id=AccountId(permission_set.bastion.account_id),
        role_name=permission_set.name,
        region=permission_set.bastion.region,
    )


def _first_free(candidates: Sequence[str], taken: Collection[str]) -> str:
    # Names that differ only by case count as one, for they do so to people.
    return next((name for name in candidates if name.lower() not in taken), candidates[-1])


def _joined(stem: str, ending: str) -> str:
    return f"{stem[: _LONGEST_NAME - len(ending) - 1]}-{ending}"


def _digest(row: Bastion | PermissionSet) -> str:
    return hashlib.sha256(str(row.uuid).encode()).hexdigest()[:12]
