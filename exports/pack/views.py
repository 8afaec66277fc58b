"""The evidence pack, as a file that page and API hand out."""

from django.http import FileResponse, HttpResponse
from django.views.decorators.http import require_POST

from contacts.requests import SignedInRequest, page_actor
from contacts.wording import describe
from exports.columns import content_disposition
from exports.pack import services, wording
from salesconnect.lib.actor import Actor


@require_POST
def evidence_pack(request: SignedInRequest, contact_id: int) -> HttpResponse | FileResponse:
    """Download all that is held of one person; a POST, for it goes on record."""
    return pack_answer(contact_id, actor=page_actor(request))


def pack_answer(contact_id: int, *, actor: Actor, reason: str = "") -> FileResponse:
    """Return the pack of one person, in the language of the request."""
    pack = services.evidence_pack(contact_id, actor=actor, words=wording.page, describe=describe, reason=reason)
    headers = {"Content-Disposition": content_disposition(pack.name), "Cache-Control": "no-store"}
    return FileResponse(pack.file, content_type="application/zip", headers=headers)
