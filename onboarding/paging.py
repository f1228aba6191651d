"""Paging by key: the next page begins after the last row, so that page 1,000 costs what page 1 costs."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

from django.core.exceptions import ValidationError
from django.db.models import Field, Model, Q, QuerySet

M = TypeVar("M", bound=Model)
_SIZE = 50


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    rows: Sequence[M]
    # For `?after=` and `?before=`; empty where there is no such page.
    next: str = ""
    previous: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """By one column and, among equals, by the key. `-column` is descending."""

    column: str

    @property
    def field(self) -> str:
        return self.column.removeprefix("-")

    @property
    def is_descending(self) -> bool:
        return self.column.startswith("-")

    def columns(self, *, backwards: bool) -> tuple[str, str]:
        sign = "-" if self.is_descending != backwards else ""
        return f"{sign}{self.field}", f"{sign}pk"

    def beyond(self, value: object, pk: int, *, backwards: bool) -> Q:
        side = "lt" if self.is_descending != backwards else "gt"
        return Q(**{f"{self.field}__{side}": value}) | Q(**{self.field: value, f"pk__{side}": pk})


def page(rows: QuerySet[M], *, by: str, after: str = "", before: str = "", size: int = _SIZE) -> Page[M]:
    """One page of `rows`; a cursor that somebody has altered gives the first page."""
    order, backwards = Order(by), bool(before)
    cursor = _read(before or after, _column(rows, order))
    ordered = rows.order_by(*order.columns(backwards=backwards and cursor is not None))
    if cursor is None:
        backwards = False
    else:
        ordered = ordered.filter(order.beyond(*cursor, backwards=backwards))
    found = list(ordered[: size + 1])
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    has_next = bool(found) and (more or backwards)
    has_previous = bool(found) and cursor is not None and (more or not backwards)
    return Page(
        found,
        next=_cursor(found[-1], order) if has_next else "",
        previous=_cursor(found[0], order) if has_previous else "",
    )


def _cursor(row: Model, order: Order) -> str:
    value = getattr(row, order.field)
    text = value.isoformat() if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(json.dumps([text, row.pk]).encode()).decode()


def _column(rows: QuerySet[M], order: Order) -> "Field[Any, Any]":
    meta = rows.model._meta
    return meta.pk if order.field == "pk" else cast("Field[Any, Any]", meta.get_field(order.field))


def _read(cursor: str, field: "Field[Any, Any]") -> tuple[object, int] | None:
    """What `_cursor` wrote; None for whatever else stands in the address."""
    try:
        value, pk = json.loads(base64.urlsafe_b64decode(cursor))
        parsed = field.to_python(value)
    except (ValueError, TypeError, ValidationError):
        return None
    return (parsed, pk) if _can_be_compared(parsed) and _can_be_compared(pk) and isinstance(pk, int) else None


def _can_be_compared(value: object) -> bool:
    """Whether every database takes it."""
    if isinstance(value, int):
        return 0 <= value < 2**63
    if isinstance(value, datetime):
        return value.tzinfo is not None
    return isinstance(value, str) and "\x00" not in value
