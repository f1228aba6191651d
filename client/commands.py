"""The commands: login, diff, sync, prune, check."""

import argparse
import contextlib
import io
import platform
import re
import sys

from client.changes import (
    block_sections,
    check_offered,
    check_places,
    check_readable,
    difference,
    is_interactive,
    merged_with,
    try_merge,
)
from client.checking import findings, prove
from client.portal import Portal
from client.signing_in import sign_in_by_browser, sign_in_by_device_code
from client.store import SignIn, config_path, load_sign_in, only_one, read_config, replace_config, save_sign_in
from client.trouble import DIFFERENT, Trouble, say
from onboarding.core.awsconfig.merging import Answer, Choice

VERSION = "0.1.0"


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character shows another one.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        with only_one():
            status: int = options.run(options)
    except Trouble as trouble:
        say(trouble.sentence, to=sys.stderr)
        return trouble.status
    except OSError as error:
        say(f"{error.filename or 'This computer'}: {error.strerror}. Your config is as it was.", to=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("Stopped. Nothing was changed.", to=sys.stderr)
        return 130
    return status


def login(options: argparse.Namespace) -> int:
    known = load_sign_in()
    address = options.portal or (known.portal if known else "")
    if not address:
        raise Trouble("Name your portal: portal-config login https://portal.example.com", status=2)
    portal = Portal(address)
    computer = re.sub(r"[^A-Za-z0-9._-]+", "-", platform.node()).strip("._-")[:63] or "computer"
    sign_in = sign_in_by_device_code if options.device_code else sign_in_by_browser
    token = sign_in(portal, computer)
    if known:
        # The one before this; where its portal is gone, so is its worth.
        with contextlib.suppress(Trouble):
            Portal(known.portal, known.token).post("/client/disconnect")
    save_sign_in(SignIn(portal.address, token))
    say(f"Connected with {portal.address}. Next: portal-config diff, portal-config sync")
    return 0


def diff(options: argparse.Namespace) -> int:
    path, existing = config_path(), read_config(config_path())
    wanted = merged_with(existing, _offered_config(), _choices(options), asks=False)
    if wanted == existing:
        say("Nothing to change.")
        return 0
    say(difference(existing, wanted, str(path)))
    return DIFFERENT


def sync(options: argparse.Namespace) -> int:
    path, existing, asks = config_path(), read_config(config_path()), is_interactive()
    wanted = merged_with(existing, _offered_config(), _choices(options), asks=asks)
    check_places(existing, wanted, accepted=options.accept_changes, asks=asks)
    if wanted == existing:
        say("Nothing to change.")
        return 0
    backup = replace_config(path, wanted, was=existing)
    profiles = sum("role_arn" in settings for settings in block_sections(wanted).values())
    say(f"{path} now has {profiles} of the portal's profiles.")
    if backup:
        say(f"The file as it was: {backup}")
    for session in _sessions(wanted):
        say(f"Sign in with: aws sso login --sso-session {session}")
    return 0


def prune(_options: argparse.Namespace) -> int:
    path, existing = config_path(), read_config(config_path())
    without = check_readable(try_merge(existing, "", {})).content
    if without is None or without == existing:
        say("Nothing of the portal is in this file.")
        return 0
    backup = replace_config(path, without, was=existing)
    say(f"The portal's block is out of {path}. The file before: {backup}")
    return 0


def check(options: argparse.Namespace) -> int:
    all_good = True
    for finding in findings():
        say(f"{'ok  ' if finding.is_good else 'look'}  {finding.text}")
        all_good = all_good and finding.is_good
    if options.prove:
        known = _connected()
        say(f"ok    Proven. AWS named you {prove(Portal(known.portal, known.token), options.prove)}")
    return 0 if all_good else DIFFERENT


def _connected() -> SignIn:
    known = load_sign_in()
    if known is None:
        raise Trouble("This computer is not connected yet. Run: portal-config login https://portal.example.com")
    return known


def _offered_config() -> str:
    """What the portal gives now; what it gave last time where that has not changed."""
    known = _connected()
    reply = Portal(known.portal, known.token).get("/client/config", tag=known.tag)
    if reply.status == 304 and known.tag:
        return known.config
    offered = reply.told.get("config")
    if reply.status != 200 or not isinstance(offered, str):
        raise Trouble(reply.message or "The portal offers no config at the moment. Nothing was changed.")
    check_offered(offered)
    known.tag, known.config = reply.tag, offered
    save_sign_in(known)
    return offered


def _sessions(content: bytes) -> list[str]:
    prefix = "sso-session "
    return [header.removeprefix(prefix) for header in block_sections(content) if header.startswith(prefix)]


def _choices(options: argparse.Namespace) -> dict[str, Choice]:
    kept = {_header(section): Choice(Answer.KEEP_MINE) for section in options.keep}
    taken = {_header(section): Choice(Answer.TAKE_THE_PORTALS) for section in options.take}
    renamed = {_header(section): Choice(Answer.RENAME, name) for section, name in options.rename}
    return {**kept, **taken, **renamed}


def _header(section: str) -> str:
    """A bare name is a profile's."""
    return section if " " in section else f"profile {section}"


def _renaming(text: str) -> tuple[str, str]:
    section, equals, name = text.rpartition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not SECTION=NEW-NAME")
    return section, name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="portal-config", description="Keeps the portal's profiles in your ~/.aws/config, and nothing else there."
    )
    parser.add_argument("--version", action="version", version=f"portal-config {VERSION}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("login", help="connect this computer with the portal, through your browser")
    command.add_argument("portal", nargs="?", help="the portal's address; the last one is remembered")
    command.add_argument("--device-code", action="store_true", help="where no browser runs: type a code on another one")
    command.set_defaults(run=login)

    command = commands.add_parser("diff", help="show what sync would change (status 1), or that nothing would (0)")
    _add_choices(command)
    command.set_defaults(run=diff)

    command = commands.add_parser("sync", help="put the portal's profiles into your config")
    _add_choices(command)
    command.add_argument(
        "--accept-changes", action="store_true", help="of start URL, SSO region, bastion account and source profile"
    )
    command.set_defaults(run=sync)

    commands.add_parser("prune", help="take the portal's block out of your config").set_defaults(run=prune)

    command = commands.add_parser("check", help="look whether this computer is ready")
    command.add_argument("--prove", metavar="PROFILE", help="prove to the portal that this profile's role is yours")
    command.set_defaults(run=check)
    return parser


def _add_choices(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("where your file has a section of the same name")
    group.add_argument("--keep", metavar="SECTION", action="append", default=[], help="yours stays")
    group.add_argument("--take", metavar="SECTION", action="append", default=[], help="the portal's replaces yours")
    group.add_argument(
        "--rename",
        metavar="SECTION=NEW-NAME",
        action="append",
        default=[],
        type=_renaming,
        help="the portal's gets another name",
    )
