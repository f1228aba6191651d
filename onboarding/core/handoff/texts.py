"""The forms that are one text to copy or to download, and what their files are called."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from onboarding.core.handoff import cloudformation, powershell, shell, terraform
from onboarding.core.handoff.wanted import WantedRole, Way


class Form(StrEnum):
    """In the order in which the page shows them, after the console's steps."""

    CLOUDSHELL = "cloudshell"
    BASH = "bash"
    POWERSHELL = "powershell"
    CLOUDFORMATION = "cloudformation"
    TERRAFORM = "terraform"


@dataclass(frozen=True, slots=True)
class FormText:
    form: Form
    text: str
    file_name: str
    media_type: str


@dataclass(frozen=True, slots=True)
class _Writer:
    write: Callable[[WantedRole, Way], str]
    stem: str
    extension: str
    media_type: str


_VERB = {Way.CREATE: "make", Way.CHANGE: "change"}
_WRITERS = {
    Form.CLOUDSHELL: _Writer(shell.cloudshell, "-in-cloudshell", "sh", "text/x-shellscript"),
    Form.BASH: _Writer(shell.script, "", "sh", "text/x-shellscript"),
    Form.POWERSHELL: _Writer(powershell.script, "", "ps1", "text/plain"),
    Form.CLOUDFORMATION: _Writer(cloudformation.template, "", "yaml", "application/yaml"),
    Form.TERRAFORM: _Writer(terraform.configuration, "", "tf", "text/plain"),
}


def text_of(form: Form, wanted: WantedRole, way: Way) -> FormText:
    writer = _WRITERS[form]
    name = f"{_VERB[way]}-{wanted.arn.name}{writer.stem}.{writer.extension}"
    return FormText(form, writer.write(wanted, way), name, writer.media_type)
