"""Downloading the proof of one event."""

import json

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from contacts.sealing import proof as proofs
from salesconnect.common.typed_requests import SignedInRequest, page_actor


@require_GET
def proof(request: SignedInRequest, event_id: int) -> HttpResponse:
    content = json.dumps(proofs.of_event(event_id, actor=page_actor(request)), ensure_ascii=False, indent=2)
    response = HttpResponse(content + "\n", content_type="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="proof-{event_id}.json"'
    response.headers["Cache-Control"] = "no-store"
    return response
