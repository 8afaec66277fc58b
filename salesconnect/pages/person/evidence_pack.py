"""Downloading the evidence pack of one person."""

from django.http import FileResponse, HttpResponse
from django.views.decorators.http import require_POST

from salesconnect.common.evidence_pack import pack_answer
from salesconnect.common.typed_requests import SignedInRequest, page_actor


@require_POST
def evidence_pack(request: SignedInRequest, contact_id: int) -> HttpResponse | FileResponse:
    """Download all that is held of one person; a POST, for it goes on record."""
    return pack_answer(contact_id, actor=page_actor(request))
