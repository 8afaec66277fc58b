"""Retention rules and runs in the API."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from exports.models import RetentionRule
from exports.retention import retention, retention_rules
from salesconnect.api.protocol.base import PAGING, Endpoint, newest_first
from salesconnect.api.protocol.fields import PAGE_PARAMETERS, Body, Text, page_of, read


class RuleBody(Body):
    """A rule. `source_type` and `authorization_type` null mean any; at least one of the two periods is needed."""

    id = serializers.IntegerField(read_only=True)
    name = Text(max_length=100)
    active = serializers.BooleanField(required=False)
    source_type = Text(max_length=30)
    authorization_type = Text(max_length=30)
    age_months = serializers.IntegerField(min_value=1, max_value=1_200, allow_null=True, required=False)
    age_since = serializers.ChoiceField(RetentionRule.Since.choices, required=False)
    inactive_months = serializers.IntegerField(min_value=1, max_value=1_200, allow_null=True, required=False)
    step = serializers.ChoiceField(RetentionRule.Step.choices, required=False)
    warn_days = serializers.IntegerField(min_value=0, max_value=3_650, required=False)


class RetentionRunBody(Body):
    """`dry_run`: only report."""

    dry_run = serializers.BooleanField(default=False)


class RuleCountReply(serializers.Serializer):
    """What a run found under one rule."""

    rule = serializers.IntegerField()
    name = serializers.CharField()
    step = serializers.CharField()
    meets = serializers.IntegerField()
    listed = serializers.IntegerField()
    warned = serializers.IntegerField()
    due = serializers.IntegerField()


class RetentionRunReply(serializers.Serializer):
    """The result of a run: the batch erases the `due` people; `left_out` counts the others by reason."""

    dry_run = serializers.BooleanField()
    batch = serializers.IntegerField(allow_null=True)
    state = serializers.CharField(allow_null=True)
    due = serializers.IntegerField()
    erased = serializers.IntegerField()
    left_out = serializers.DictField(child=serializers.IntegerField())
    rules = RuleCountReply(many=True)


class RuleViewSet(Endpoint):
    """The rules of retention."""

    rights = {"list": "view_people", "retrieve": "view_people"} | dict.fromkeys(
        ("create", "update", "partial_update", "destroy"), "edit_retention"
    )
    parameters = {"list": PAGING}

    @extend_schema(parameters=PAGE_PARAMETERS, responses=page_of(RuleBody))
    def list(self, request: Request) -> Response:
        """List the rules, newest first."""
        return newest_first(request, RetentionRule.objects.all(), body)

    @extend_schema(request=RuleBody, responses={201: RuleBody})
    def create(self, request: Request) -> Response:
        """Make a rule; it lists people from the next run on."""
        rule = retention_rules.save(_values(read(RuleBody, request.data)), actor=self.actor)
        return Response(body(rule), 201)

    @extend_schema(responses=RuleBody)
    def retrieve(self, request: Request, pk: int) -> Response:
        """Show a rule."""
        return Response(body(retention_rules.find(pk, actor=self.actor)))

    @extend_schema(request=RuleBody, responses=RuleBody)
    def update(self, request: Request, pk: int) -> Response:
        """Replace a rule; absent fields get their defaults."""
        return self._change(request, pk, {name: DEFAULTS[name] for name in DEFAULTS})

    @extend_schema(request=RuleBody, responses=RuleBody)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Change what the body names of a rule."""
        return self._change(request, pk, {})

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        """Remove a rule."""
        retention_rules.remove(pk, actor=self.actor)
        return Response(status=204)

    def _change(self, request: Request, pk: int, defaults: dict[str, Any]) -> Response:
        current = body(retention_rules.find(pk, actor=self.actor))
        values = _values(read(RuleBody, request.data, context={"current": current}))
        return Response(body(retention_rules.save(defaults | values, actor=self.actor, rule_id=pk)))


class RetentionViewSet(Endpoint):
    """A run of the rules."""

    rights = {"run": "edit_retention"}

    @extend_schema(request=RetentionRunBody, responses={200: RetentionRunReply, 202: RetentionRunReply})
    @action(detail=False, methods=["post"])
    def run(self, request: Request) -> Response:
        """Run the rules: list, warn and erase; with `dry_run` only report."""
        done = retention.run(actor=self.actor, dry_run=read(RetentionRunBody, request.data)["dry_run"])
        batch = done.batch
        reply = {
            "dry_run": done.dry_run,
            "batch": batch and batch.pk,
            "state": batch and batch.state,
            "due": done.due,
            "erased": batch.changed if batch else 0,
            "left_out": done.left_out,
            "rules": [_counted(count) for count in done.rules],
        }
        return Response(reply, 202 if batch and not batch.ended else 200)


DEFAULTS = {
    "name": "",
    "active": True,
    "source_type": "",
    "authorization_type": "",
    "age_months": None,
    "age_since": RetentionRule.Since.CREATED,
    "inactive_months": None,
    "step": RetentionRule.Step.LIST,
    "warn_days": 30,
}


def body(rule: RetentionRule) -> dict[str, Any]:
    values = {name: getattr(rule, name) for name in retention_rules.FIELDS}
    either = {name: values[name] or None for name in ("source_type", "authorization_type")}
    return {"id": rule.pk, **values, **either}


def _values(given: dict[str, Any]) -> dict[str, Any]:
    return {name: "" if value is None and name.endswith("_type") else value for name, value in given.items()}


def _counted(count: retention.RuleCount) -> dict[str, Any]:
    numbers = {name: getattr(count, name) for name in ("meets", "listed", "warned", "due")}
    return {"rule": count.rule.pk, "name": count.rule.name, "step": count.rule.step, **numbers}
