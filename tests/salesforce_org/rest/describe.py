"""What objects and fields there are for the caller, and the limits of the org."""

from typing import Any

from tests.salesforce_org.errors import ApiError
from tests.salesforce_org.ids import PREFIXES
from tests.salesforce_org.rest.call import Call
from tests.salesforce_org.schema import HISTORY_OF, REPLICATED, Field
from tests.salesforce_org.web import Request, Response

VERSION_LABELS = ("Spring", "Summer", "Winter")
READ_ONLY_OBJECTS = {"User", "Organization", "ContactHistory", "LeadHistory"}


def versions(org: Any, request: Request) -> Response:
    """List the API versions; open to all, and without Sforce-Limit-Info."""
    numbers = range(org.settings.oldest_version, org.settings.newest_version + 1)
    return Response(
        200,
        [
            {
                "label": f"{VERSION_LABELS[(number - 1) % 3]} '{8 + (number - 10) // 3:02}",
                "url": f"/services/data/v{number}.0",
                "version": f"{number}.0",
            }
            for number in numbers
        ],
    )


def global_describe(call: Call) -> Response:
    """List the objects."""
    names = [name for name in call.access.schema.objects if call.access.object_named(name)]
    body = {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": [_summary(call, name) for name in names]}
    return Response(200, body)


def basic(call: Call, written: str) -> Response:
    """Describe an object in short."""
    return Response(200, {"objectDescribe": _summary(call, call.object(written)), "recentItems": []})


def describe(call: Call, written: str) -> Response:
    """Describe an object with the fields that the caller can see: the others are absent."""
    name = call.object(written)
    fields = [_field(call, name, field) for field in call.access.visible(name).values()]
    history = HISTORY_OF.get(name)
    children = (
        [{"childSObject": history[0], "field": history[1], "relationshipName": "Histories"}]
        if history and name in call.org.settings.history
        else []
    )
    return Response(
        200, {**_summary(call, name), "fields": fields, "childRelationships": children, "recordTypeInfos": []}
    )


def _summary(call: Call, name: str) -> dict[str, Any]:
    own = name not in READ_ONLY_OBJECTS
    editable = own and call.access.may_edit(name)
    base = f"{call.base}/sobjects/{name}"
    return {
        "name": name,
        "label": name,
        "labelPlural": f"{name}s",
        "keyPrefix": PREFIXES[name],
        "custom": False,
        "queryable": True,
        "retrieveable": True,
        "createable": editable,
        "updateable": editable,
        "deletable": editable,
        "undeletable": editable,
        "mergeable": editable,
        "replicateable": name in REPLICATED,
        "triggerable": own,
        "urls": {"sobject": base, "describe": f"{base}/describe", "rowTemplate": f"{base}/{{ID}}"},
    }


def _field(call: Call, name: str, field: Field) -> dict[str, Any]:
    writable = call.access.may_write(name, field) and call.access.may_edit(name)
    return {
        "name": field.name,
        "label": field.label,
        "type": "string" if field.type == "any" else field.type,
        "length": field.length,
        "byteLength": field.length * (1 if field.type in {"id", "reference"} else 3),
        "soapType": {"boolean": "xsd:boolean", "datetime": "xsd:dateTime", "id": "tns:ID"}.get(
            field.type, "xsd:string"
        ),
        "nillable": not field.required and field.type not in {"boolean", "id"},
        "createable": writable,
        "updateable": writable,
        "permissionable": field.updateable and not field.required,
        "filterable": field.filterable,
        "sortable": True,
        "groupable": field.type != "datetime",
        "calculated": False,
        "custom": field.name.endswith("__c"),
        "defaultValue": False if field.type == "boolean" else None,
        "defaultedOnCreate": field.type == "boolean",
        "externalId": False,
        "idLookup": field.name in {"Id", "Email"},
        "nameField": field.compound_name,
        "unique": False,
        "picklistValues": [],
        "referenceTo": [field.refers_to] if field.refers_to else [],
        "relationshipName": field.name.removesuffix("Id") if field.type == "reference" else None,
    }


def limits(call: Call) -> Response:
    """Return the limits and what remains of them."""
    most = call.org.settings.daily_limit
    body = {
        "DailyApiRequests": {"Max": most, "Remaining": max(0, most - call.org.usage.used)},
        "DailyBulkApiBatches": {"Max": 15_000, "Remaining": 15_000},
        "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000},
        "DailyBulkV2QueryFileStorageMB": {"Max": 976_562, "Remaining": 976_562},
    }
    return Response(200, body)


def record_count(call: Call) -> Response:
    """Return how many records objects have, without regard to sharing."""
    asked = call.request.query.get("sObjects", "Contact,Lead,Account")
    names = [call.access.object_named(written.strip()) for written in asked.split(",")]
    if not all(names):
        raise ApiError(400, "INVALID_TYPE", f"not all of these are objects: {asked}")
    counts = [{"count": call.org.store.count(str(name)), "name": name} for name in names]
    return Response(200, {"sObjects": counts})
