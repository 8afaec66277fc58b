"""Downloading the evidence pack of one person."""

from django.http import FileResponse, HttpResponse
from django.views.decorators.http import require_POST

from salesconnect.common.evidence_pack import pack_answer
from salesconnect.common.typed_requests import SignedInRequest, page_actor


@require_POST
def evidence_pack(request: SignedInRequest, contact_id: int) -> HttpResponse | FileResponse:
    """Download the evidence pack. POST, because it is recorded in the history."""
    return pack_answer(contact_id, actor=page_actor(request))
