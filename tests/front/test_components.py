"""The component tags: what they say to those who cannot see, and that nothing typed becomes markup."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.template import Context, Template, TemplateSyntaxError
from django.utils import timezone, translation
from pytest_django.asserts import assertHTMLEqual, assertInHTML

from onboarding import wording
from onboarding.core.probes import Outcome, ProbeKind, VerdictCode
from onboarding.core.states import State
from onboarding.templatetags.tobiishi import duration
from tests.front.sheet import HOSTILE, SheetForm

NOON = datetime(2026, 5, 12, 12, 0, tzinfo=UTC)


def render(source: str, **context: object) -> str:
    return Template("{% load tobiishi %}" + source).render(Context(context)).strip()


# --- Stones and states --------------------------------------------------------------------------------------------


def test_every_code_has_words() -> None:
    assert all(wording.of_state(state).word for state in State)
    assert all(wording.of_verdict(code).word for code in VerdictCode)
    assert set(wording.PROBES) == set(ProbeKind)
    assert set(wording.OUTCOMES) == set(Outcome)


def test_a_path_says_in_words_how_many_stones_lie() -> None:
    html = render("{% path 'proven' True %}")
    assert 'role="img" aria-label="5 of 5 stones laid"' in html
    assert '<span class="state ok">In use</span>' in html


def test_a_stone_that_does_not_hold_is_cracked_and_not_laid() -> None:
    assertHTMLEqual(
        render("{% stones 'unsafe' True %}"),
        '<span class="path" data-at="3" role="img" aria-label="3 of 5 stones laid, stone 4 is cracked">'
        '<i></i><i></i><i></i><i class="crack"></i><i></i></span>',
    )


def test_one_failure_after_success_cracks_nothing_yet() -> None:
    assert wording.path_of("suspect", used=True) == wording.Path(laid=5, cracked=False)


@pytest.mark.parametrize(
    ("state", "looks"),
    [
        ("invited", ["laid", "laid", "next", "ahead", "ahead"]),
        ("proven", ["laid", "laid", "laid", "moss", "next"]),
        ("broken", ["laid", "laid", "laid", "crack", "next"]),
    ],
)
def test_the_walk_marks_what_comes_next(state: str, looks: list[str]) -> None:
    assert wording.path_of(state).looks == looks


def test_a_state_is_an_icon_and_a_word_in_one_colour() -> None:
    html = render("{% state 'unsafe' %}")
    assert html.startswith('<span class="state bad"><svg class="i" aria-hidden="true">')
    assert html.endswith('#i-warn"/></svg> Unsafe</span>')


# --- Times and numbers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=12), "12 min ago"),
        (timedelta(hours=3), "18:00 today"),
        (timedelta(hours=22), "23:00 yesterday"),
        (timedelta(hours=-6), "03:00 tomorrow"),
        (timedelta(days=20), "22 Apr, 21:00"),
        (timedelta(days=400), "7 April 2025, 21:00"),
    ],
)
@time_machine.travel(NOON, tick=False)
def test_a_moment_speaks_in_the_readers_zone_and_in_near_words(ago: timedelta, words: str) -> None:
    with timezone.override("Asia/Tokyo"):
        assert f">{words}</time>" in render("{% moment at %}", at=NOON - ago)


def test_a_moment_carries_what_machines_read_and_names_its_zone() -> None:
    with timezone.override("Asia/Tokyo"):
        html = render("{% moment at exact=True %}", at=NOON)
    assert html == (
        '<time class="nowrap" datetime="2026-05-12T12:00:00+00:00" title="12 May 2026, 21:00 JST">'
        "12 May 2026, 21:00</time>"
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (timedelta(days=2, hours=2, minutes=5), "2 d 2 h"),
        (timedelta(hours=8, minutes=46), "8 h 46 min"),
        (timedelta(days=1), "1 d"),
        (timedelta(seconds=41.7), "41 s"),
        (timedelta(0), "0 s"),
        (timedelta(seconds=-5), "0 s"),
    ],
)
def test_a_duration_keeps_its_two_largest_units(value: timedelta, words: str) -> None:
    assert duration(value) == words


def test_an_account_id_stands_in_groups_of_four() -> None:
    html = render("{{ account|grouped }}", account="030040405050")
    assert html == '<span class="account">0300<i> </i>4040<i> </i>5050</span>'


# --- Code ---------------------------------------------------------------------------------------------------------


def test_a_code_figure_numbers_its_lines_outside_the_text() -> None:
    html = render("{% code_figure text 'a.json' first=11 marks=marks %}", text="{\n}\n", marks={12: "add"})
    assert '<span class="l" data-n="11">{\n</span><span class="l add" data-n="12">}\n</span>' in html
    assert '<pre tabindex="0" role="region" aria-label="a.json">' in html


def test_a_folded_line_has_no_number() -> None:
    assert '<span class="l gap" data-n="">…\n' in render("{% code_figure '…' marks=marks %}", marks={1: "gap"})


def test_an_unknown_mark_is_refused() -> None:
    with pytest.raises(TemplateSyntaxError, match="wrong"):
        render("{% code_figure 'a' marks=marks %}", marks={1: "wrong"})


@pytest.mark.parametrize(
    ("line", "html"),
    [
        ('"Sid": "A"', '<span class="k">&quot;Sid&quot;</span>: <span class="s">&quot;A&quot;</span>'),
        ("[profile a]", '<span class="h">[profile a]</span>'),
        ("role_arn = arn:aws", '<span class="k">role_arn</span> = <span class="s">arn:aws</span>'),
        ("# <b>", '<span class="c"># &lt;b&gt;</span>'),
        ("aws sso --profile a", 'aws sso <span class="k">--profile</span> a'),
        ("  - Sid: a", '<span class="k">  - Sid</span>: a'),
    ],
)
def test_code_is_coloured_and_stays_text(line: str, html: str) -> None:
    assert f'data-n="1">{html}\n</span>' in render("{% code_figure line %}", line=line)


# --- Forms --------------------------------------------------------------------------------------------------------


def test_a_field_ties_label_control_hint_and_error_together() -> None:
    form = SheetForm({"company": "", "account": "1", "language": "en"})
    html = render("{% field form.company %}", form=form)
    assertInHTML('<label for="id_company">Company name</label>', html)
    assert 'aria-invalid="true" aria-describedby="id_company_helptext id_company_error"' in html
    assert '<p class="oops" id="id_company_error">' in html
    assert '<div class="hint" id="id_company_helptext">A hint stands below</div>' in html


def test_choices_are_a_group_with_a_legend_and_its_error() -> None:
    html = render("{% field form.days %}", form=SheetForm({}))
    assert '<fieldset class="field" aria-describedby="id_days_helptext id_days_error">' in html
    assert "<legend>Link stays valid</legend>" in html


def test_the_error_summary_links_to_each_field() -> None:
    html = render("{% form_errors form %}", form=SheetForm({"company": "a", "language": "en", "days": "7"}))
    assert '<div class="errors" role="alert" aria-labelledby="form-errors" tabindex="-1">' in html
    assert "Not saved yet: one thing needs you" in html
    assert '<a href="#id_account">AWS account ID</a>' in html


def test_a_form_without_errors_has_no_summary() -> None:
    assert render("{% form_errors form %}", form=SheetForm()) == ""


def test_a_confirmation_names_the_thing_and_posts_with_the_token() -> None:
    html = render(
        "{% confirm action='/x/' ask='Retire' do=do %}<p>{{ do }}</p>{% endconfirm %}", do=HOSTILE, csrf_token="t"
    )
    assert '<details class="confirm">' in html
    assert '<form method="post" action="/x/">' in html
    assert '<input type="hidden" name="csrfmiddlewaretoken" value="t">' in html
    assert "<script>" not in html


def test_a_search_box_has_a_label_besides_its_placeholder() -> None:
    html = render("{% search_box 'Search roles' placeholder='ARN' %}")
    assert '<label class="sr" for="id_q">Search roles</label>' in html
    assert 'aria-keyshortcuts="/"' in html


# --- Lists and notices --------------------------------------------------------------------------------------------


def test_the_pager_names_what_there_is_and_stands_aside_where_there_is_one_page() -> None:
    html = render("{% pager next_url=url %}", url="?after=a&b")
    assert '<a href="?after=a&amp;b" rel="next">Next</a>' in html
    assert '<span aria-disabled="true">Previous</span>' in html
    assert render("{% pager %}") == ""


@pytest.mark.parametrize(("level", "role"), [("success", "status"), ("warning", "status"), ("error", "alert")])
def test_a_flash_is_announced_as_loudly_as_it_matters(level: str, role: str) -> None:
    assert f'role="{role}"' in render("{% flash 'Saved.' level=level %}", level=level)


def test_words_are_translated_when_they_are_shown() -> None:
    with translation.override("ja"):
        assert str(wording.of_state("proven").word) == translation.gettext("Proven")


@pytest.mark.django_db
@pytest.mark.urls("tests.front.urls")
def test_nothing_typed_becomes_markup(client, alice) -> None:
    client.force_login(alice)
    html = client.get("/sheet/").content.decode()
    assert "<script>alert" not in html
    assert html.count("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;") == 11
