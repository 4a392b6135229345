"""What the rules, and what was settled before, say while a list is applied to the registry."""

from __future__ import annotations

import pyarrow as pa

from guyub.imports.reconcile import Reconciliation
from guyub.reconciliation.models import Difference, DifferenceState, Mode, Side
from guyub.reconciliation.sources import Source, decide, reference_dataset, rules_in_force
from guyub.registry.bulk import register_rows
from guyub.registry.models import Origin

_KEY = "'$.' || CASE WHEN j.field IN ('person_status', 'household_status') THEN 'status' ELSE j.field END"


def have_a_say(todo: Reconciliation) -> None:
    """Correct who wins in a list's plan: by the rule of an attribute, and by what people settled.

    A value that was settled against the list does not come in again, unless the list or the registry
    says something else than when it was settled.
    """
    _by_rules(todo)
    settled = list(
        Difference.objects.filter(
            dataset=todo.dataset, state=DifferenceState.SETTLED, winner=Side.OURS
        ).values_list("kind", "subject_id", "field", "theirs", "ours")
    )
    columns = ("kind", "id", "field", "theirs", "ours")
    register_rows(
        todo.db,
        "settled_before",
        {
            name: (pa.int64() if name == "id" else pa.string(), [row[at] for row in settled])
            for at, name in enumerate(columns)
        },
    )
    for table, kind in (("household", "h"), ("person", "p")):
        todo.db.execute(
            f"UPDATE {table}_judged AS j SET taken = false FROM settled_before s "
            f"WHERE s.kind = '{kind}' AND s.id = j.id AND s.field = j.field AND s.theirs = j.new "
            "AND s.ours = j.old"
        )


def _by_rules(todo: Reconciliation) -> None:
    rules = {n: rule for n, rule in rules_in_force().items() if rule.mode != Mode.DEFAULT}
    if not rules:
        return
    origins = list(Origin.objects.values_list("id", "dataset_id", "as_of"))
    register_rows(
        todo.db,
        "ruled_origins",
        {
            "id": (pa.int64(), [row[0] for row in origins]),
            "dataset_id": (pa.int64(), [row[1] for row in origins]),
            "as_of": (pa.date32(), [row[2] for row in origins]),
        },
    )
    reference, mine = reference_dataset(), Source(todo.dataset.pk, todo.as_of)
    # A list always renews what came from its own earlier versions.
    sources = {(row[1], row[2]) for row in origins if row[1] != todo.dataset.pk}
    rows = [
        (name, dataset_id, as_of)
        for name in rules
        for dataset_id, as_of in sorted(sources, key=lambda pair: (pair[0] or 0, pair[1]))
    ]
    register_rows(
        todo.db,
        "ruled_sources",
        {
            "field": (pa.string(), [row[0] for row in rows]),
            "dataset_id": (pa.int64(), [row[1] for row in rows]),
            "as_of": (pa.date32(), [row[2] for row in rows]),
            "beaten": (
                pa.bool_(),
                [
                    decide(rules[row[0]], reference, Source(row[1], row[2]), mine)[0] == Side.THEIRS
                    for row in rows
                ],
            ),
        },
    )
    for table in ("household", "person"):
        todo.db.execute(
            f"UPDATE {table}_judged AS j SET taken = s.beaten FROM cur_{table}_flat c, "
            "ruled_origins o, ruled_sources s WHERE c.id = j.id AND j.old IS NOT NULL "
            f"AND o.id = coalesce(CAST(json_extract_string(c.origins, {_KEY}) AS BIGINT), c.origin_id) "
            "AND s.field = j.field AND s.as_of = o.as_of "
            "AND s.dataset_id IS NOT DISTINCT FROM o.dataset_id"
        )
