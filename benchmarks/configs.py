"""A person's config with thousands of profiles: rendering and merging, every check included."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from awscli.customizations.configure.writer import ConfigFileWriter
from botocore.configloader import load_config

from benchmarks.measure import REPETITIONS, Row, cpu_of, medians
from onboarding.core.arns import AccountId, Partition, RoleArn
from onboarding.core.awsconfig import AwsConfig, BastionProfile, PartnerProfile, SsoSession, merge, render

_TIMES = 10


def rows() -> list[Row]:
    return [rendering(), growth_of_rendering(), growth_of_merging(), writing()]


def rendering(profiles: int = 5_000, repetitions: int = REPETITIONS) -> Row:
    """botocore reads a config whenever a session begins; ours is rendered once for each download."""
    config = config_of(profiles)
    with TemporaryDirectory() as folder:
        file = Path(folder, "config")
        file.write_text(render(config))
        figures = medians(
            cpu_of(partial(render, config)), cpu_of(partial(load_config, str(file))), repetitions=repetitions
        )
    return Row(
        name=f"render {profiles:,} profiles, all checks included",
        other_is="botocore parsing the result once",
        goal=0.5,
        **figures,
    )


def growth_of_rendering(profiles: int = 500, repetitions: int = REPETITIONS) -> Row:
    few, many = config_of(profiles), config_of(profiles * _TIMES)
    return _growth("render", profiles, partial(render, many), partial(render, few), repetitions)


def growth_of_merging(profiles: int = 500, repetitions: int = REPETITIONS) -> Row:
    """Into a file with as many profiles of the person's own, and an older block of ours."""
    few, many = _merging(profiles), _merging(profiles * _TIMES)
    return _growth("merge", profiles, many, few, repetitions)


def writing(profiles: int = 2_000, repetitions: int = REPETITIONS) -> Row:
    """awscli's writer reads the file and writes it anew for each profile."""
    config = config_of(profiles)
    with TemporaryDirectory() as folder:
        figures = medians(
            cpu_of(partial(render, config)),
            cpu_of(partial(_write_with_awscli, config, Path(folder, "config"))),
            repetitions=repetitions,
        )
    return Row(
        name=f"write {profiles:,} profiles", other_is="awscli's own writer on the same profiles", goal=0.01, **figures
    )


def config_of(profiles: int) -> AwsConfig:
    bastion = BastionProfile(
        name="hoshino-bastion",
        sso_session="hoshino",
        account_id=AccountId("111122223333"),
        role_name="PartnerAccess",
        region="ap-northeast-1",
    )
    session = SsoSession(name="hoshino", start_url="https://hoshino.awsapps.com/start", region="ap-northeast-1")
    partners = tuple(_partner(number) for number in range(profiles))
    return AwsConfig(sessions=(session,), bastions=(bastion,), partners=partners)


def _partner(number: int) -> PartnerProfile:
    return PartnerProfile(
        name=f"partner-{number}-telemetry",
        source_profile="hoshino-bastion",
        role_arn=RoleArn(Partition.AWS, AccountId(f"{number:012}"), "/", "HoshinoTelemetry"),
        external_id=f"tbi-k4wd-82ru-n6ye-0mtz-{number:04}",
        role_session_name="ken.ishida@hoshino.example",
        region="eu-west-1",
    )


def _growth(verb: str, profiles: int, many: Callable[[], object], few: Callable[[], object], repetitions: int) -> Row:
    figures = medians(cpu_of(many), cpu_of(few), repetitions=repetitions)
    return Row(
        name=f"{verb}: growth from {profiles:,} to {profiles * _TIMES:,} profiles",
        ours=figures["ours"],
        other=figures["other"] * _TIMES,
        other_is=f"{_TIMES} times {profiles:,} profiles",
        goal=1.3,
    )


def _merging(profiles: int) -> Callable[[], object]:
    own = "".join(f"# mine\n[profile own-{number}]\nregion = eu-west-1\n\n" for number in range(profiles))
    older = merge(own.encode(), render(config_of(profiles // 2)), {}).content or b""
    return partial(merge, older, render(config_of(profiles)), {})


def _write_with_awscli(config: AwsConfig, file: Path) -> None:
    file.write_text("")
    writer = ConfigFileWriter()
    for section in config.sections:
        writer.update_config({"__section__": section.header, **section.settings}, str(file))
