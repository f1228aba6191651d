"""The sandbox's mail server and its mailbox: what is mailed by SMTP is read there, and survives a kill."""

import re
import smtplib
from html import unescape

import pytest
import requests
from django.core.mail import EmailMultiAlternatives, get_connection

from tests.sandbox.browser import Browser
from tests.sandbox.conftest import Sandbox

MAILBOX = "/_sandbox/mail/"


def mail_through(sandbox: Sandbox, subject: str, *, text: str = "Hello", html: str = "", to: str = "a@b.example"):
    backend = "django.core.mail.backends.smtp.EmailBackend"
    connection = get_connection(backend, host="127.0.0.1", port=sandbox.smtp_port)
    message = EmailMultiAlternatives(subject, text, "portal@hoshino.example", [to], connection=connection)
    if html:
        message.attach_alternative(html, "text/html")
    message.send()


def first_mail(sandbox: Sandbox) -> str:
    """Its address in the mailbox."""
    found = re.search(rf'href="({MAILBOX}[0-9a-f-]+/)"', requests.get(sandbox.url + MAILBOX, timeout=5).text)
    assert found
    return sandbox.url + found[1]


def read(address: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", requests.get(address, timeout=5).text))


def test_an_empty_mailbox_says_that_this_is_well(own_sandbox: Sandbox):
    assert "No mail yet" in requests.get(own_sandbox.url + MAILBOX, timeout=5).text


def test_a_mail_is_read_as_text_and_as_html_and_its_links_are_links(sandbox: Sandbox):
    link = "http://127.0.0.1:8000/i/token_-x"
    mail_through(
        sandbox, "Zugriff für 山吹", text=f"Öffnen:\n{link}\n終わり", html=f'<head></head><a href="{link}">go</a>'
    )
    address = first_mail(sandbox)
    shown = requests.get(address, timeout=5)
    assert f'<a href="{link}">{link}</a>' in shown.text
    for told in ("Zugriff für 山吹", "終わり", "a@b.example", "portal@hoshino.example"):
        assert told in read(address)
    framed = requests.get(f"{address}html", timeout=5)
    assert '<base target="_top">' in framed.text
    assert "sandbox allow-top-navigation-by-user-activation" in framed.headers["Content-Security-Policy"]


def test_nothing_in_a_mail_becomes_markup_of_the_mailbox(sandbox: Sandbox):
    evil = "<script>alert(1)</script>"
    mail_through(sandbox, evil, text=f'{evil} http://x"onclick=alert(1)', html=evil)
    for address in (sandbox.url + MAILBOX, first_mail(sandbox)):
        assert evil not in requests.get(address, timeout=5).text
    assert (
        "default-src 'none'" in requests.get(f"{first_mail(sandbox)}html", timeout=5).headers["Content-Security-Policy"]
    )


def test_the_newest_mail_stands_first(sandbox: Sandbox):
    for subject in ("one", "two"):
        mail_through(sandbox, subject)
    listed = read(sandbox.url + MAILBOX)
    assert listed.index("two") < listed.index("one")


def test_what_was_taken_survives_a_kill(own_sandbox: Sandbox):
    mail_through(own_sandbox, "kept")
    own_sandbox.kill()
    own_sandbox.start()
    assert "kept" in read(first_mail(own_sandbox))


def test_the_mailbox_is_emptied_by_its_own_form_only(own_sandbox: Sandbox):
    mail_through(own_sandbox, "to be gone")
    assert requests.post(f"{own_sandbox.url}{MAILBOX}empty", timeout=5).status_code == 403
    browser = Browser(own_sandbox.url)
    browser.open(MAILBOX)
    browser.send(f"{MAILBOX}empty")
    assert "No mail yet" in browser.page.text


def test_a_mail_that_is_gone_is_a_page(sandbox: Sandbox):
    assert requests.get(f"{sandbox.url}{MAILBOX}nothing/", timeout=5).status_code == 404


def test_a_mail_larger_than_any_of_ours_is_refused(sandbox: Sandbox):
    with pytest.raises(smtplib.SMTPException):
        mail_through(sandbox, "large", text="x" * 2**20)


@pytest.mark.parametrize(
    "raw", [b"Subject: no body", b"Content-Type: text/plain; charset=nonsense\r\n\r\n\xff\xfe", b"", b"\xff\x00: \r\n"]
)
def test_whatever_comes_by_smtp_is_shown_somehow(sandbox: Sandbox, raw: bytes):
    with smtplib.SMTP("127.0.0.1", sandbox.smtp_port) as server:
        server.sendmail("a@b.example", ["c@d.example"], raw)
    assert requests.get(sandbox.url + MAILBOX, timeout=5).status_code == 200
    assert requests.get(first_mail(sandbox), timeout=5).status_code == 200
