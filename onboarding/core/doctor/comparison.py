"""A policy as it was read beside the one that we ask for; order and layout, which mean nothing to IAM, set aside."""

import json

from onboarding.core.doctor.diagnosis import Correction

_ORDER = {
    element: place
    for place, element in enumerate(
        ("Version", "Id", "Statement", "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Condition")
    )
}


def compare(found: object, asked: object) -> Correction:
    """What would have to change for `found` to be `asked`."""
    return Correction(_text(found), _text(asked))


def _text(document: object) -> str:
    return json.dumps(_tidy(document), indent=2)


def _tidy(value: object, key: str = "") -> object:
    """`read` limits the depth, so this may recurse."""
    if key == "Statement":
        return [_tidy(entry) for entry in (value if isinstance(value, list) else [value])]
    if isinstance(value, dict):
        keys = sorted(value, key=lambda name: (_ORDER.get(name, len(_ORDER)), name))
        return {name: _tidy(value[name], name) for name in keys}
    if isinstance(value, list):
        entries = [_tidy(entry) for entry in value]
        return entries[0] if len(entries) == 1 else sorted(entries, key=json.dumps)
    return value
