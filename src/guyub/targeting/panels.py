"""What a sub-activity's page shows of the rules that say who it is for."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from guyub.access.permissions import can
from guyub.targeting.cel import RuleError
from guyub.targeting.checking import understand
from guyub.targeting.models import Rule
from guyub.targeting.wording import told


def target_group(request: HttpRequest, sub_activity: Any) -> tuple[str, dict[str, Any]] | None:
    """Return the panel on a sub-activity: its rules in words, and the way to make one."""
    if not can(request.user, "targeting.view"):
        return None
    rules = []
    for rule in (
        Rule.objects.filter(sub_activities=sub_activity)
        .select_related("current_version")
        .order_by("name")[:5]
    ):
        try:
            clause = told(understand(rule.current_version.text)) if rule.current_version else None
        except RuleError:
            clause = None
        rules.append((rule, clause))
    may_add = can(request.user, "targeting.edit", sub_activity) and not sub_activity.is_cancelled
    return "targeting/_target_group.html", {
        "rules": rules,
        "sub_activity": sub_activity,
        "may_add": may_add,
    }
