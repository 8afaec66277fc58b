"""The template tags of the interface, and what every template must keep to."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
import time_machine
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.utils import translation

from salesconnect.pages.templatetags.ui import nearby, toast_links

ROOT = Path(__file__).resolve().parents[4]
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SPRITE = (ROOT / "static/vendor/tabler-icons/sprite.svg").read_text()


@pytest.mark.parametrize(
    ("age", "english", "swedish"),
    [
        (timedelta(), "just now", "nyss"),
        (timedelta(minutes=23), "23 min ago", "23 min sedan"),
        (timedelta(hours=5), "5 h ago", "5 tim sedan"),
        (timedelta(days=3, hours=4), "3 days ago", "3 dagar sedan"),
        (timedelta(days=40), "2026-10-14", "2026-10-14"),
        (timedelta(seconds=-3), "just now", "nyss"),
        (timedelta(seconds=-30), "in 1 min", "om 1 min"),
        (timedelta(minutes=-2), "in 2 min", "om 2 min"),
        (timedelta(hours=-5), "in 5 h", "om 5 tim"),
        (timedelta(days=-1), "in 1 day", "om 1 dag"),
        (timedelta(days=-40), "2027-01-02", "2027-01-02"),
    ],
)
def test_a_time_is_told_in_words_while_it_is_near(age: timedelta, english: str, swedish: str) -> None:
    with time_machine.travel(NOW, tick=False):
        with translation.override("en"):
            assert nearby(NOW - age) == english
        with translation.override("sv"):
            assert nearby(NOW - age) == swedish


def test_a_message_carries_its_links_in_its_extra_tags() -> None:
    links = {"undo_url": "/tasks/12/undo/", "link_url": "/tasks/12/?a=1&b=2", "link_text": "Ändring 12"}
    assert toast_links(Message(constants.SUCCESS, "Saved.", extra_tags=urlencode(links))) == links
    assert toast_links(Message(constants.SUCCESS, "Saved.")) == {}


def test_every_icon_that_a_template_names_is_in_the_sprite() -> None:
    named = {name for path in TEMPLATES for name in re.findall(r'{% icon "([\w-]+)"', path.read_text())}
    assert {name for name in named if f'<symbol id="{name}"' not in SPRITE} == set()


def test_no_template_holds_inline_style_or_script() -> None:
    inline = re.compile(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:")
    # That one is no page of the site: it lies in the evidence pack and has to stand alone.
    assert [path.name for path in TEMPLATES if inline.search(path.read_text())] == ["pack_page.html"]
