"""Small changes to a policy, each aimed at one element, and the document after them. The original stays as it was."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

Path = tuple[str | int, ...]


class EditKind(StrEnum):
    # Put a value in place; what is missing on the way is made.
    SET = "set"
    # Add to a value that may stand alone or in a list.
    ADD = "add"
    DELETE = "delete"
    # Give a key another name; `value` is the new one.
    RENAME = "rename"


@dataclass(frozen=True, slots=True)
class Edit:
    kind: EditKind
    path: Path
    value: object = None


def edited(document: object, edits: Iterable[Edit]) -> object:
    """The document after the edits; an edit that finds nothing to change changes nothing."""
    result = _copy(document)
    done: dict[Path, object] = {}
    for edit in edits:
        # Two callers may need two values where one stands: the second is added.
        is_second = edit.kind is EditKind.SET and done.get(edit.path, edit.value) != edit.value
        path = edit.path[:-1] if is_second and isinstance(edit.path[-1], int) else edit.path
        _apply(result, Edit(EditKind.ADD, path, edit.value) if is_second else edit)
        done[edit.path] = edit.value
    return result


def _copy(value: object) -> object:
    """`read` limits the depth, so this may recurse."""
    if isinstance(value, dict):
        return {key: _copy(entry) for key, entry in value.items()}
    return [_copy(entry) for entry in value] if isinstance(value, list) else value


def _apply(document: object, edit: Edit) -> None:
    *way, last = edit.path
    parents = _walk(document, tuple(way), make=edit.kind in (EditKind.SET, EditKind.ADD))
    if not parents:
        return
    parent = parents[-1]
    if edit.kind is EditKind.DELETE:
        _delete(parents, tuple(way), last)
    elif edit.kind is EditKind.RENAME and isinstance(parent, dict) and last in parent:
        _rename(parent, str(last), str(edit.value))
    elif edit.kind is EditKind.SET:
        _put(parent, last, edit.value)
    elif edit.kind is EditKind.ADD:
        _put(parent, last, _with(_get(parent, last), edit.value))


def _rename(mapping: dict[str, object], old: str, new: str) -> None:
    """In its place; where the new name stands there already, as with operators, both are kept together."""
    value, present = mapping[old], mapping.get(new)
    if isinstance(value, dict) and isinstance(present, dict):
        present.update({**value, **present})
        del mapping[old]
        return
    renamed = {(new if key == old else key): entry for key, entry in mapping.items() if key != new}
    mapping.clear()
    mapping.update(renamed)


def _walk(document: object, way: Path, *, make: bool) -> list[object]:
    """The containers from the document to the end of the way; none where it cannot be gone."""
    parents = [document]
    for step in way:
        entry = _get(parents[-1], step)
        if entry is None and make and isinstance(parents[-1], dict):
            entry = parents[-1][step] = {}
        if not isinstance(entry, dict | list):
            return []
        parents.append(entry)
    return parents


def _get(container: object, step: str | int) -> object:
    if isinstance(container, dict):
        return container.get(step)
    if isinstance(container, list) and isinstance(step, int) and step < len(container):
        return container[step]
    return None


def _put(container: object, step: str | int, value: object) -> None:
    if isinstance(container, dict) or (isinstance(container, list) and isinstance(step, int) and step < len(container)):
        container[step] = value  # type: ignore[index]  # a key of the one, an index of the other


def _with(present: object, value: object) -> object:
    entries = present if isinstance(present, list) else [] if present is None else [present]
    together = entries if value in entries else [*entries, value]
    return together if len(together) > 1 else together[0]


def _delete(parents: list[object], way: Path, last: str | int) -> None:
    """An operator or a Condition that is left empty goes too."""
    steps = [*way, last]
    for parent, step in zip(reversed(parents), reversed(steps), strict=True):
        if isinstance(parent, dict):
            parent.pop(step, None)
        if parent or not way:
            return
