"""Up to 25 requests in one, which counts as one call."""

import re
from typing import Any

from tests.salesforce_org.errors import NOT_THERE, ApiError
from tests.salesforce_org.rest.call import Call
from tests.salesforce_org.web import Request, Response

MOST, MOST_HEAVY = 25, 5
BAD_REQUEST = 400
HEAVY = re.compile(r"/(query|queryAll|composite/sobjects)(/|\?|$)")
NEEDED = {"method", "url", "referenceId"}
INHERITED = {"accept", "authorization", "content-type"}
REFERENCE = re.compile(r"@\{(\w+)\.([\w.\[\]]+)\}")
HALTED = [
    {
        "errorCode": "PROCESSING_HALTED",
        "message": "The transaction was rolled back since another operation in the same transaction failed.",
    }
]


class HaltedError(Exception):
    """Takes everything back when one of an all-or-none composite failed."""


def composite(call: Call) -> Response:
    """Run subrequests one after the other; other headers than those of the sign-in are not inherited."""
    body = call.json()
    parts = _checked(call, body)
    answers: list[dict[str, Any]] = []
    try:
        with call.org.store.savepoint():
            for part in parts:
                answers.append(_run(call, part, answers))
            _insist(answers, all_or_none=bool(body.get("allOrNone")))
    except HaltedError:
        halted = {"body": HALTED, "httpHeaders": {}, "httpStatusCode": 400}
        answers = [answer if answer["httpStatusCode"] >= BAD_REQUEST else {**answer, **halted} for answer in answers]
    return Response(200, {"compositeResponse": answers})


def _checked(call: Call, body: Any) -> list[dict[str, Any]]:
    if "" in call.org.settings.composite_refuses:
        raise ApiError(403, "FUNCTIONALITY_NOT_ENABLED", "Composite is not enabled for this organization")
    parts = body.get("compositeRequest") if isinstance(body, dict) else None
    if not isinstance(parts, list) or not parts:
        raise ApiError(400, "JSON_PARSER_ERROR", "compositeRequest is expected")
    if not all(isinstance(part, dict) and part.keys() >= NEEDED for part in parts):
        raise ApiError(400, "JSON_PARSER_ERROR", f"a subrequest needs {', '.join(sorted(NEEDED))}")
    if len(parts) > MOST:
        raise ApiError(400, "LIMIT_EXCEEDED", f"The maximum number of subrequests is {MOST}")
    if sum(HEAVY.search(part["url"]) is not None for part in parts) > MOST_HEAVY:
        message = f"The maximum number of query and collection subrequests is {MOST_HEAVY}"
        raise ApiError(400, "LIMIT_EXCEEDED", message)
    for part in parts:
        if INHERITED & {name.lower() for name in part.get("httpHeaders", {})}:
            raise ApiError(400, "INVALID_HTTP_HEADER", "Accept, Authorization and Content-Type cannot be set")
        if not part["url"].startswith("/services/data/v") or "/composite?" in part["url"] + "?":
            raise ApiError(400, "INVALID_URL", f"{part['url']} cannot be a subrequest")
    return parts


def _insist(answers: list[dict[str, Any]], *, all_or_none: bool) -> None:
    if all_or_none and any(answer["httpStatusCode"] >= BAD_REQUEST for answer in answers):
        raise HaltedError


def _run(call: Call, part: dict[str, Any], answers: list[dict[str, Any]]) -> dict[str, Any]:
    earlier = {answer["referenceId"]: answer["body"] for answer in answers}
    headers = {name.lower(): str(value) for name, value in part.get("httpHeaders", {}).items()}
    headers["content-type"] = "application/json"
    try:
        sent = Response(body=_resolved(part.get("body"), earlier)).data()
        request = Request(part["method"], _resolved(part["url"], earlier), headers, sent)
        response = _answer(call, request)
    except ApiError as error:  # a reference to what an earlier answer does not have
        response = Response(error.status, error.body())
    return {
        "body": response.body,
        "httpHeaders": {},
        "httpStatusCode": response.status,
        "referenceId": part["referenceId"],
    }


def _answer(call: Call, request: Request) -> Response:
    refused = [part for part in call.org.settings.composite_refuses if part in request.target]
    fault = call.org.faults.find(request, inside_composite=True)
    if refused:
        response = Response(404, ApiError(404, "NOT_FOUND", NOT_THERE).body())
    else:
        response = fault.play(lambda: call.inner(request)) if fault else call.inner(request)
    sforce = {name: value for name, value in request.headers.items() if name != "content-type"}
    call.entry.inside.append(
        {"method": request.method, "path": request.target, "headers": sforce, "status": response.status}
        | {"body": request.body.decode(), "fault": fault.do if fault else None}
    )
    return response


def _resolved(value: Any, earlier: dict[str, Any]) -> Any:
    """Put values of earlier answers where `@{reference.path}` stands."""
    if isinstance(value, dict):
        return {key: _resolved(item, earlier) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolved(item, earlier) for item in value]
    return REFERENCE.sub(lambda match: _looked_up(match, earlier), value) if isinstance(value, str) else value


def _looked_up(match: re.Match[str], earlier: dict[str, Any]) -> str:
    try:
        value = earlier[match.group(1)]
        for step in re.findall(r"\w+", match.group(2)):
            value = value[int(step)] if isinstance(value, list) else value[step]
    except (KeyError, IndexError, TypeError, ValueError):
        message = f"Invalid reference specified. No value for {match.group()[2:-1]}"
        raise ApiError(400, "PROCESSING_HALTED", message) from None
    return str(value)
