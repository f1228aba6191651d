"""Each catalog says all that the source says, in whole sentences; read without gettext's own programs."""

import io
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation.template import templatize

CHECKOUT = Path(__file__).resolve().parent.parent
LANGUAGES = [code for code, _name in settings.LANGUAGES if code != "en"]
# What `make messages` reads, and the functions by which gettext knows a text.
_NOT_READ = {".git", ".venv", "var"}
_KEYWORDS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}
_PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[a-zA-Z%]")
_EDGES = re.compile(r"^\s*|\s*$")
_TAG = re.compile(r"<[^>]*>")
# As templates write a translation unescaped, none may bring syntax that the source does not have.
_SYNTAX = re.compile(r'[<>&"]')

Key = tuple[str | None, tuple[str, ...]]


def written(language: str) -> Path:
    return CHECKOUT / "onboarding" / "locale" / language / "LC_MESSAGES" / "django.po"


def catalog(language: str) -> Catalog:
    return read_po(io.BytesIO(written(language).read_bytes()), abort_invalid=True)


def messages(language: str) -> list[Message]:
    return [message for message in catalog(language) if message.id]


def forms(text: str | tuple[str, ...]) -> tuple[str, ...]:
    return text if isinstance(text, tuple) else (text,)


def keys_in_the_source() -> Iterator[Key]:
    for path in CHECKOUT.rglob("*"):
        if path.suffix in {".py", ".html", ".txt"} and path.relative_to(CHECKOUT).parts[0] not in _NOT_READ:
            for _line, found, _comments, context in extract("python", io.BytesIO(as_python(path)), keywords=_KEYWORDS):
                yield context, forms(found)


def as_python(path: Path) -> bytes:
    source = path.read_text()
    if path.suffix != ".py":
        # What stands around the texts is indented as HTML, which Python's tokenizer would not bear.
        source = "\n".join(line.strip() for line in templatize(source, origin=str(path)).splitlines())
    return source.encode()


def differences(pattern: re.Pattern[str], message: Message) -> list[str]:
    """The translations that hold other such pieces than the source; of a plural, than its last form."""
    wanted = Counter(pattern.findall(forms(message.id)[-1]))
    return [text for text in forms(message.string) if Counter(pattern.findall(text)) != wanted]


@pytest.fixture(scope="module")
def source() -> set[Key]:
    return set(keys_in_the_source())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_the_source_is_in_the_catalog_and_no_other(language: str, source: set[Key]) -> None:
    collected = {(message.context, forms(message.id)) for message in messages(language)}
    assert (source - collected, collected - source) == (set(), set()), "make messages"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_and_none_is_a_guess_or_left_over(language: str) -> None:
    assert [message.id for message in messages(language) if not all(forms(message.string))] == []
    assert [message.id for message in messages(language) if message.fuzzy] == []
    assert list(catalog(language).obsolete) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("pattern", [_PLACEHOLDER, _TAG, _SYNTAX], ids=["placeholders", "tags", "syntax"])
def test_a_translation_keeps_what_is_not_prose(language: str, pattern: re.Pattern[str]) -> None:
    assert [wrong for message in messages(language) for wrong in differences(pattern, message)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_begins_and_ends_with_the_same_white_space(language: str) -> None:
    assert [
        text
        for message in messages(language)
        for text in forms(message.string)
        if _EDGES.findall(text) != _EDGES.findall(forms(message.id)[0])
    ] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalog_says_its_language_and_has_as_many_plural_forms_as_it_claims(language: str) -> None:
    read = catalog(language)
    assert str(read.locale) == language
    plurals = [message for message in messages(language) if message.pluralizable]
    assert {len(message.string) for message in plurals} == {read.num_plurals}


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_portal_reads_is_the_written_catalog(language: str) -> None:
    compiled = io.BytesIO()
    write_mo(compiled, catalog(language))
    assert compiled.getvalue() == written(language).with_suffix(".mo").read_bytes(), "make messages"
