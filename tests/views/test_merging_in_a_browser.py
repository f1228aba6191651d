"""The merge on the employee's page, in a real browser: questions, the diff, and what ends up in the file."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Download, Locator, Page, Request, expect

from onboarding.core.awsconfig import merge
from onboarding.models import Bastion, ExternalRole
from tests.browsers import assert_accessible, browsers_of, expect_clipboard, needs_chromium
from tests.core.test_awsconfig_merging import VECTORS, in_bytes
from tests.factories import make_checked_role, make_grant, make_person, make_role

pytestmark = needs_chromium

ALL = {file.stem: json.loads(file.read_text()) for file in VECTORS}
OURS = ALL["rename"]["ours"]
# Those whose portal's side is the config that `ken` has, and whose answers the page asks for.
del ALL["answer-without-a-question"]
KENS = {name: vector for name, vector in ALL.items() if vector["ours"] == OURS}
MERGED = {name: vector for name, vector in KENS.items() if not vector.keys() & {"problems", "conflicts"}}
UNREADABLE = {name: vector for name, vector in KENS.items() if "problems" in vector}


@pytest.fixture
def ken(transactional_db: None, client: Client) -> str:
    """The key of the session of somebody whose config is the portal's side of the vectors."""
    person = make_person("ken.ishida@hoshino.example")
    role = make_checked_role(make_role(profile_name="willow-telemetry"))
    make_grant(role, person)
    Bastion.objects.update(sso_start_url="https://hoshino.awsapps.com/start")
    ExternalRole.objects.filter(pk=role.pk).update(
        external_id="tbi-k4wd-82ru-n6ye-0mtz-7c3f", role_arn="arn:aws:iam::303040405050:role/HoshinoTelemetry"
    )
    client.force_login(person)
    assert client.get(reverse("onboarding:employees:access")).context["snippet"].text == OURS
    return client.cookies["sessionid"].value


@pytest.fixture
def open_page(live_server, ken: str) -> Iterator[Callable[..., Page]]:
    with browsers_of(live_server.url) as browsers:

        def opened(**options: Any) -> Page:
            page = browsers.open(reverse("onboarding:employees:access"), session_key=ken, **options)
            if options.get("java_script_enabled", True):
                page.wait_for_selector(".can-merge", state="attached")
            return page

        yield opened


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    return open_page()


def choose_file(page: Page, content: bytes) -> Locator:
    page.set_input_files("#mine", {"name": "config", "mimeType": "text/plain", "buffer": content})
    band = page.get_by_role("region", name="Merge preview")
    expect(band).to_be_visible()
    return band


def answer(band: Locator, choices: dict[str, str | dict[str, str]]) -> None:
    words = {"keep": "Keep mine", "take": "Take the portal’s"}
    for header, chosen in choices.items():
        card = band.get_by_role("group", name=f"[{header}]")
        if isinstance(chosen, str):
            card.get_by_label(words[chosen]).check()
        else:
            card.get_by_label("New name").fill(chosen["rename"])


def content_of(download: Download) -> bytes:
    return Path(download.path()).read_bytes()


def downloaded(page: Page, button: str) -> bytes:
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return content_of(download.value)


def test_the_browser_makes_of_each_vector_what_it_says(page: Page) -> None:
    assert {"rename", "keep-mine", "take-the-portals", "crlf", "shift-jis-comment"} <= MERGED.keys()
    for name, vector in MERGED.items():
        existing, expected = in_bytes(vector, "existing"), in_bytes(vector, "expected")
        band = choose_file(page, existing)
        answer(band, vector["choices"])
        if expected == existing:
            expect(band.get_by_text("Your file is up to date")).to_be_visible()
        else:
            assert downloaded(page, "Download merged file") == expected, name
        page.get_by_role("button", name="Forget my file").click()
        expect(band).to_be_hidden()


def test_an_unreadable_file_is_diagnosed_with_its_lines_and_offers_nothing(page: Page) -> None:
    for name, vector in UNREADABLE.items():
        band = choose_file(page, in_bytes(vector, "existing"))
        expect(band.get_by_role("heading", level=3)).to_contain_text("refuse this file as it is")
        told = band.locator('[data-part="problem-list"] li').all_inner_texts()
        assert len(told) == len(vector["problems"])
        for sentence, problem in zip(told, vector["problems"], strict=True):
            assert str(problem["line"]) in sentence, name
            assert problem["found"] in sentence, name
            assert "{" not in sentence, name
        expect(band.get_by_role("button", name="Download merged file")).to_be_hidden()


# A real handle to a real file, as the browser's own picker gives one: in the page's private folder.
GIVE_A_FILE = """async ([name, content]) => {
  const folder = await navigator.storage.getDirectory();
  const handle = await folder.getFileHandle(name, { create: true });
  const writable = await handle.createWritable();
  await writable.write(content);
  await writable.close();
  window.showOpenFilePicker = async () => [handle];
}"""
READ_THE_FILE = """async (name) => {
  const folder = await navigator.storage.getDirectory();
  return (await (await folder.getFileHandle(name)).getFile()).text();
}"""


def pick_file(page: Page, content: str) -> Locator:
    page.evaluate(GIVE_A_FILE, ["config", content])
    page.get_by_text("Choose ~/.aws/config").click()
    band = page.get_by_role("region", name="Merge preview")
    expect(band).to_be_visible()
    return band


def test_a_merge_with_a_conflict_ends_in_the_file_as_the_vector_has_it(page: Page) -> None:
    vector = ALL["rename"]
    band = pick_file(page, vector["existing"])
    expect(band.get_by_role("status").first).to_have_text("Sections that stand in your file already: 1. You choose.")
    card = band.get_by_role("group", name="[profile willow-telemetry]")
    expect(card).to_contain_text("on line 9")
    expect(card.locator('[data-slot="theirs"]')).to_contain_text("HoshinoOld")
    expect(band.get_by_role("region", name="Your file as it would be")).to_be_hidden()
    expect(band.get_by_role("button", name="Save into my file")).to_be_hidden()

    # A name that is taken is refused where it stands, and nothing is made of it.
    answer(band, {"profile willow-telemetry": {"rename": "private"}})
    expect(card.get_by_text("This name is taken, or is none")).to_be_visible()
    expect(band.get_by_role("button", name="Save into my file")).to_be_hidden()

    answer(band, vector["choices"])
    before, after = (band.get_by_role("region", name=f"Your file as it {how}") for how in ("is", "would be"))
    expect(after.locator(".add").filter(has_text="[profile willow-portal]")).to_be_visible()
    expect(before.locator(".del")).to_have_count(0)
    expect(before.locator(".l")).to_have_count(after.locator(".l").count())
    added = len(vector["expected"].splitlines()) - len(vector["existing"].splitlines())
    expect(band.get_by_role("status").first).to_contain_text(f"Lines added: {added}. Lines removed: 0.")

    with page.expect_download() as backup, page.expect_response("**/access/copied/") as told:
        band.get_by_role("button", name="Save into my file").click()
    expect(band.get_by_text("Saved. config on your disk is the file shown here")).to_be_visible()
    assert told.value.status == 204
    assert page.evaluate(READ_THE_FILE, "config") == vector["expected"]
    assert content_of(backup.value).decode() == vector["existing"]
    assert backup.value.suggested_filename.startswith("config-before-")

    again = pick_file(page, vector["expected"])
    expect(again.get_by_text("Your file is up to date. There is nothing to save.")).to_be_visible()
    expect(again.get_by_text("You answered this when you merged the last time")).to_be_visible()


def test_an_earlier_answer_can_be_changed(page: Page) -> None:
    band = choose_file(page, ALL["rename"]["expected"].encode())
    answer(band, {"profile willow-telemetry": "keep"})
    merged = downloaded(page, "Download merged file").decode()
    assert "# kept yours: profile willow-telemetry" in merged
    assert "willow-portal" not in merged


def test_many_questions_have_one_answer(page: Page) -> None:
    """As with a file that was pasted together by hand before."""
    band = choose_file(page, OURS.replace("ap-northeast-1", "eu-west-1").encode())
    expect(band.get_by_role("group")).to_have_count(3)
    band.get_by_role("button", name="Keep mine").click()
    expect(band.get_by_role("region", name="Your file as it would be").get_by_text("# kept yours")).to_have_count(3)
    band.get_by_role("button", name="Take the portal’s").click()
    assert downloaded(page, "Download merged file") == merge(b"", OURS, {}).content


def test_a_file_that_changed_meanwhile_is_not_overwritten(page: Page) -> None:
    band = pick_file(page, "[default]\nregion = eu-west-1\n")
    page.evaluate(GIVE_A_FILE, ["config", "[default]\nregion = us-east-1\n"])
    band.get_by_role("button", name="Save into my file").click()
    expect(band.get_by_text("Not saved: config has changed since you chose it.")).to_be_visible()
    assert page.evaluate(READ_THE_FILE, "config") == "[default]\nregion = us-east-1\n"
    band.get_by_role("button", name="Save into my file").click()
    expect(band.get_by_text("Saved. config on your disk")).to_be_visible()
    assert page.evaluate(READ_THE_FILE, "config").startswith("[default]\nregion = us-east-1\n\n# >>> managed by")


def test_no_byte_of_the_file_leaves_the_browser(page: Page) -> None:
    sent: list[Request] = []

    def note(request: Request) -> None:
        sent.append(request)

    page.context.on("request", note)
    band = choose_file(page, b"# marked-private\n[profile marked-private]\nregion = eu-west-1\n")
    downloaded(page, "Download merged file")
    with page.expect_response("**/access/copied/"):
        band.get_by_role("button", name="Copy merged").click()
    assert "marked-private" in page.evaluate("navigator.clipboard.readText()")
    paths = {request.url.removeprefix(page.url.partition("/access/")[0]) for request in sent}
    assert {path for path in paths if not path.startswith("blob:")} == {"/access/copied/"}
    assert [request.post_data for request in sent if request.method == "POST"] == [None, None]


def test_a_file_is_taken_where_it_is_dropped(page: Page) -> None:
    page.evaluate(
        """() => {
          const carried = new DataTransfer();
          carried.items.add(new File(["[default]\\nregion = eu-west-1\\n"], "config"));
          const drop = document.getElementById("drop");
          for (const type of ["dragover", "drop"]) {
            drop.dispatchEvent(new DragEvent(type, { dataTransfer: carried, bubbles: true, cancelable: true }));
          }
        }"""
    )
    assert downloaded(page, "Download merged file").startswith(b"[default]\nregion = eu-west-1\n\n# >>> managed by")


def test_what_is_no_config_at_all_is_turned_away(page: Page) -> None:
    band = choose_file(page, b"x" * (4 * 1024 * 1024 + 1))
    expect(band.get_by_text("larger than four megabytes")).to_be_visible()
    expect(band.get_by_role("button", name="Download merged file")).to_be_hidden()


def test_choices_are_kept_at_once_and_the_preview_follows(page: Page) -> None:
    band = choose_file(page, b"[default]\nregion = eu-west-1\n")
    after = band.get_by_role("region", name="Your file as it would be")
    with page.expect_response("**/access/choices/*"):
        page.get_by_label("Prefix of profile names").fill("ht-")
        page.get_by_label("Prefix of profile names").press("Tab")
    config = page.get_by_role("region", name="Your config")
    expect(config.get_by_text("[profile ht-willow-telemetry]").first).to_be_visible()
    expect(config.get_by_text("Saved")).to_be_visible()
    expect(after.get_by_text("[profile ht-willow-telemetry]")).to_be_visible()
    page.get_by_role("button", name="Copy name").click()
    expect_clipboard(page, "ht-willow-telemetry")
    with page.expect_response("**/access/choices/*"):
        page.get_by_label("Region of willow-telemetry").fill("eu-north-1")
        page.get_by_label("Region of willow-telemetry").press("Tab")
    expect(page.get_by_role("button", name="Copy name")).to_be_focused()
    expect(after.get_by_text("eu-north-1")).to_be_visible()
    tick = page.get_by_role("checkbox", name="Put willow-telemetry into the config")
    with page.expect_response("**/access/choices/*"):
        tick.uncheck()
    expect(page.get_by_role("button", name="Copy name")).to_have_count(0)
    expect(tick).to_be_focused()
    expect(config.get_by_text("Nothing is ticked")).to_be_visible()
    expect(band.get_by_text("Your file is up to date")).to_be_visible()
    page.reload()
    expect(page.get_by_role("checkbox", name="Put willow-telemetry into the config")).not_to_be_checked()
    expect(page.get_by_label("Region of willow-telemetry")).to_have_value("eu-north-1")


def test_a_wrong_choice_says_so_and_keeps_what_was_there(page: Page) -> None:
    page.get_by_label("Prefix of profile names").fill("a]")
    page.get_by_label("Prefix of profile names").press("Tab")
    config = page.get_by_role("region", name="Your config")
    expect(config.get_by_role("alert")).to_contain_text("Not saved yet")
    expect(config.get_by_text("[profile willow-telemetry]").first).to_be_visible()


def test_without_scripts_the_page_says_so_and_choices_have_a_button(open_page: Callable[..., Page]) -> None:
    page = open_page(java_script_enabled=False)
    expect(page.get_by_text("This happens in your browser alone and needs JavaScript")).to_be_visible()
    expect(page.get_by_text("Choose ~/.aws/config")).to_be_hidden()
    page.get_by_role("checkbox", name="Put willow-telemetry into the config").uncheck()
    page.get_by_role("button", name="Save your choices").click()
    expect(page.get_by_text("Nothing is ticked")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Put willow-telemetry into the config")).not_to_be_checked()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing_in_an_open_merge(open_page: Callable[..., Page], theme: str, width: int) -> None:
    page = open_page(color_scheme=theme, width=width)
    band = choose_file(page, ALL["rename"]["existing"].encode())
    for step in (lambda: None, lambda: answer(band, ALL["rename"]["choices"]), lambda: choose_file(page, b"x\n")):
        step()
        assert_accessible(page)
