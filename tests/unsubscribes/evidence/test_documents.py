import hashlib

import pytest
from django.core.files.base import ContentFile

from salesconnect.lib.errors import Invalid
from tests.evidence import JPEG, MAIL, PDF, png, segment
from unsubscribes.evidence.documents import SIZE_LIMIT, examine


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("form.pdf", PDF, "pdf"),
        ("Scan.PNG", png(), "png"),
        ("photo.jpeg", JPEG, "jpg"),
        ("photo.jpg", JPEG, "jpg"),
        ("answer.eml", MAIL, "eml"),
        ("note.txt", "Hon sa ja på mässan.".encode(), "txt"),
        ("note.txt", "Hon sa ja på mässan.".encode("cp1252"), "txt"),
        ("note.txt", "Hon sa ja på mässan.".encode("utf-16"), "txt"),
        ("no suffix", MAIL, "eml"),
    ],
)
def test_a_document_is_known_by_its_content(name, content, kind):
    document = examine(ContentFile(content, name))
    assert (document.kind, document.content) == (kind, content)
    assert document.sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.txt", b"  \n"),
        ("program.pdf", b"MZ\x90\x00" + b"\0" * 100),
        ("words.pdf", b"just words"),
        ("cut.pdf", PDF[:20]),
        ("picture.pdf", png()),
        ("page.html", b"<p>yes</p>"),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'></svg>"),
        ("cut.png", png()[:-8]),
        ("bent.png", png()[:-17] + b"\xff" + png()[-16:]),
        ("headless.jpg", b"\xff\xd8" + segment(0xDA, b"\x01") + b"\xff\xd9"),
        ("endless.jpg", JPEG[:-2]),
        ("words.eml", b"Dear Anna, yes please."),
        ("nul.txt", b"yes\0no"),
        ("bell.txt", b"yes\x07"),
        ("large.txt", b"x" * (SIZE_LIMIT + 1)),
    ],
)
def test_what_is_not_what_it_claims_is_refused(name, content):
    with pytest.raises(Invalid) as refusal:
        examine(ContentFile(content, name))
    assert list(refusal.value.fields) == ["evidence_file"]


def test_a_document_of_ten_megabytes_is_taken():
    assert len(examine(ContentFile(b"x" * SIZE_LIMIT, "long.txt")).content) == SIZE_LIMIT


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ('a"b\r\nSet-Cookie: x.txt', "a_b_Set-Cookie_ x.txt"),
        ("Ö" * 300 + ".txt", "Ö" * 200 + ".txt"),
        ("", "document.txt"),
    ],
)
def test_the_name_is_made_harmless(given, kept):
    file = ContentFile(b"yes", given)
    assert examine(file).name == kept
