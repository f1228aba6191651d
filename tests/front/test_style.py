"""What the style sheet promises: readable colours in both themes, and nothing from elsewhere."""

import re
from pathlib import Path

import pytest
from django.conf import settings

STATIC = Path(settings.BASE_DIR) / "onboarding" / "static" / "onboarding"
# A mail is no page: no policy goes with it, and its few styles have to.
TEMPLATES = sorted(
    path for path in (Path(settings.BASE_DIR) / "templates").rglob("*.html") if path.parent.name != "emails"
)
STYLES = (STATIC / "tobiishi.css").read_text()

_TOKEN = re.compile(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)")
TOKENS = {name: {"light": light, "dark": dark} for name, light, dark in _TOKEN.findall(STYLES)}
WASHES = {"moss": "moss-wash", "ochre": "ochre-wash", "bengara": "bengara-wash"}
TEXT = [
    *(
        (text, ground)
        for text in ("ink", "ink-2", "ink-3", "moss", "ochre", "bengara")
        for ground in ("paper", "sheet", "sunk")
    ),
    *WASHES.items(),
    *(("ink", wash) for wash in WASHES.values()),
    *(("moss", wash) for wash in WASHES.values()),
    ("on-moss", "moss"),
    ("on-moss", "bengara"),
    ("paper", "stone"),
    ("paper", "ink"),
]
EDGES = [(edge, ground) for edge in ("edge", "stone", "moss", "bengara") for ground in ("paper", "sheet", "sunk")]


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT)
def test_text_can_be_read_on_every_ground_it_stands_on(text: str, ground: str, theme: str) -> None:
    assert contrast(TOKENS[text][theme], TOKENS[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("edge", "ground"), EDGES)
def test_controls_and_stones_stand_out_from_their_ground(edge: str, ground: str, theme: str) -> None:
    assert contrast(TOKENS[edge][theme], TOKENS[ground][theme]) >= 3


def test_every_colour_is_a_token() -> None:
    rules = STYLES[STYLES.index("/* 2. Ground") :]
    assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b", rules)) <= {"#fff"}


def test_every_token_that_is_used_exists() -> None:
    assert set(re.findall(r"var\(--([\w-]+)\)", STYLES)) <= set(re.findall(r"--([\w-]+):", STYLES))


@pytest.mark.parametrize("name", ["tobiishi.css", "portal.js"])
def test_nothing_comes_from_elsewhere(name: str) -> None:
    assert not re.search(r"@import|url\(|https?:|\beval\b|innerHTML", (STATIC / name).read_text())


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_keep_to_the_content_security_policy(template: Path) -> None:
    text = template.read_text()
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:|https?://", text)
    scripts = re.findall(r"<script([^>]*)>", text)
    assert all("src=" in script or 'type="application/json"' in script for script in scripts)


def test_every_icon_that_is_used_is_in_the_sprite() -> None:
    sprite = set(re.findall(r'id="i-([a-z]+)"', (STATIC / "icons.svg").read_text()))
    sources = [*TEMPLATES, *(Path(settings.BASE_DIR) / "onboarding").rglob("*.py")]
    text = "".join(source.read_text() for source in sources)
    asked = re.findall(
        r'{% icon "([a-z]+)" %}|Wording\(_\("[^"]+"\), "[a-z]+", "([a-z]+)"\)|{% says [^%]* "([a-z]+)" %}', text
    )
    used = {name for names in asked for name in names if name}
    assert {"plus", "check", "shut"} <= used <= sprite
