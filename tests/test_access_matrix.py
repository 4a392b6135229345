"""Every URL, asked for by every role and by the public, about its own record and another's.

``EXPECTED`` is the policy written out a second time, by hand and from the outside: it names URLs, not
permissions, so a wrong grant, a forgotten guard and a guard with the wrong permission all show here.
A URL that stands in neither table fails the test: whoever adds one says here who may open it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from django.test import Client
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLPattern, URLResolver
from django.utils import timezone
from PIL import Image

from guyub.access.guards import PUBLIC
from guyub.access.permissions import ANY, GRANTS
from guyub.access.roles import Role

# PostgreSQL asks with its wall on, as in production; SQLite has none.
pytestmark = pytest.mark.web_role

# How far a role gets: every record, only those of its own agency or area, or none. Pages without a
# record are "all" or "none".
ALL, OWN, NONE = "all", "own", "none"
THE_PUBLIC = "public"


def who(
    *,
    secretariat: str = NONE,
    agency_head: str = NONE,
    agency_operator: str = NONE,
    area_operator: str = NONE,
    regent: str = NONE,
    auditor: str = NONE,
    public: str = NONE,
) -> dict[str, str]:
    """Say who gets how far; whoever is not named gets nowhere."""
    return {
        Role.SECRETARIAT: secretariat,
        Role.AGENCY_HEAD: agency_head,
        Role.AGENCY_OPERATOR: agency_operator,
        Role.AREA_OPERATOR: area_operator,
        Role.REGENT: regent,
        Role.AUDITOR: auditor,
        THE_PUBLIC: public,
    }


SIGNED_IN = who(
    secretariat=ALL,
    agency_head=ALL,
    agency_operator=ALL,
    area_operator=ALL,
    regent=ALL,
    auditor=ALL,
)
ANYONE = SIGNED_IN | {THE_PUBLIC: ALL}
SECRETARIAT = who(secretariat=ALL)
AUDITOR = who(auditor=ALL)
# Reading about named poor people: not the regent, who reads sums, nor the auditor, who reads the log.
SEES_PEOPLE = who(secretariat=ALL, agency_head=ALL, agency_operator=ALL, area_operator=OWN)
SEES_RECIPIENTS_EVERYWHERE = who(secretariat=ALL, agency_head=ALL, agency_operator=ALL)
EDITS_PEOPLE = who(secretariat=ALL, agency_operator=ALL, area_operator=OWN)
RUNS_OWN_DATASETS = who(secretariat=ALL, agency_operator=OWN)
# Only its author takes a message back; the secretariat wrote that about their own household.
OWN_MESSAGES = who(secretariat=OWN)
EDITS_OWN_PROGRAMS = who(secretariat=ALL, agency_operator=OWN)
RUNS_OWN_INDICATORS = who(secretariat=ALL, agency_head=OWN, agency_operator=OWN)
WRITES_OWN_REPORTS = who(secretariat=ALL, agency_operator=OWN)
SEES_OWN_IMPORTS = who(secretariat=ALL, agency_head=OWN, agency_operator=OWN)

ACTS_ON_OBSTACLES = who(secretariat=ALL, agency_head=OWN, agency_operator=OWN, area_operator=OWN)
CONNECTS = who(secretariat=ALL, agency_head=ALL)
CONNECTS_OWN = who(secretariat=ALL, agency_head=OWN)

VERIFIES = who(secretariat=ALL, agency_operator=OWN, area_operator=OWN)

EXPECTED: dict[str, dict[str, str]] = {
    "home": ANYONE,
    "public": ANYONE,
    "portal:district": ANYONE,
    "portal:programs": ANYONE,
    "portal:data": ANYONE,
    "portal:method": ANYONE,
    "portal:catalogue_json": ANYONE,
    "portal:catalogue_turtle": ANYONE,
    "portal:download": ANYONE,
    "portal:list": SECRETARIAT,
    "portal:prepare": SECRETARIAT,
    "portal:preview": SECRETARIAT,
    "portal:publish": SECRETARIAT,
    "portal:discard": SECRETARIAT,
    "api:public_releases": ANYONE,
    "api:public_counts": ANYONE,
    "api:public_table": ANYONE,
    "set_language": ANYONE,
    "home:area": SIGNED_IN,
    # One's own account
    "accounts:me": SIGNED_IN,
    "accounts:edit_me": SIGNED_IN,
    "accounts:second_factor": SIGNED_IN,
    "accounts:resume": SIGNED_IN,
    # All accounts
    "accounts:list": SECRETARIAT,
    "accounts:create": SECRETARIAT,
    "accounts:detail": SECRETARIAT,
    "accounts:edit": SECRETARIAT,
    "accounts:password_link": SECRETARIAT,
    "accounts:deactivate": SECRETARIAT,
    "accounts:reactivate": SECRETARIAT,
    "accounts:reset_factor": SECRETARIAT,
    # Other systems
    "connections:tokens": CONNECTS,
    "connections:create_token": CONNECTS,
    "connections:token": CONNECTS_OWN,
    "connections:revoke_token": CONNECTS_OWN,
    "connections:renew_token": CONNECTS_OWN,
    "connections:webhooks": CONNECTS,
    "connections:create_webhook": CONNECTS,
    "connections:webhook": CONNECTS_OWN,
    "connections:ping_webhook": CONNECTS_OWN,
    "connections:switch_webhook": CONNECTS_OWN,
    "connections:renew_webhook": CONNECTS_OWN,
    "connections:resend": CONNECTS_OWN,
    "connections:partners": SECRETARIAT,
    "connections:create_partner": SECRETARIAT,
    "connections:partner": SECRETARIAT,
    "connections:switch_partner": SECRETARIAT,
    "connections:edit_partner": SECRETARIAT,
    "connections:read_partner_keys": SECRETARIAT,
    "connections:end_watch": SECRETARIAT,
    "connections:resend_notice": SECRETARIAT,
    # Opened by a token and a signed message, never by a session
    "spdci_sync_search": who(),
    "spdci_search": who(),
    "spdci_status": who(),
    "spdci_later_status": who(),
    "spdci_subscribe": who(),
    "spdci_unsubscribe": who(),
    "exchange_keys": ANYONE,
    "connections:reference": ANYONE,
    # The directory
    "agencies:list": SIGNED_IN,
    "agencies:detail": SIGNED_IN,
    "agencies:edit": who(secretariat=ALL, agency_head=OWN, agency_operator=OWN),
    "agencies:create": SECRETARIAT,
    "agencies:status": SECRETARIAT,
    "areas:list": SIGNED_IN,
    "areas:detail": SIGNED_IN,
    # Documents
    "documents:list": SIGNED_IN,
    "documents:start": SECRETARIAT,
    "documents:document": SIGNED_IN,
    "documents:preview": SIGNED_IN,
    "documents:figures_progress": SIGNED_IN,
    "documents:compute_figures": SIGNED_IN,
    "documents:ask": SECRETARIAT,
    "documents:renew": SECRETARIAT,
    "documents:issue": SECRETARIAT,
    "documents:trial": SECRETARIAT,
    "documents:section": RUNS_OWN_INDICATORS,
    "documents:assign": SECRETARIAT,
    "documents:edition": SIGNED_IN,
    "documents:edition_progress": SIGNED_IN,
    "documents:edition_file": SIGNED_IN,
    "documents:retry_edition": SECRETARIAT,
    "documents:agency_report": SIGNED_IN,
    "documents:area_report": SIGNED_IN,
    "documents:area_page": SIGNED_IN,
    "documents:area_progress": SIGNED_IN,
    "documents:compute_area": SIGNED_IN,
    "documents:program_report": SIGNED_IN,
    "documents:build": SIGNED_IN,
    "documents:save": SIGNED_IN,
    "documents:build_file": SIGNED_IN,
    "documents:question_progress": SIGNED_IN,
    "documents:compute_question": SIGNED_IN,
    "documents:built_list": SIGNED_IN,
    # Private ones: the secretariat built one of the two.
    "documents:built": OWN_MESSAGES,
    "documents:built_edit": OWN_MESSAGES,
    "documents:built_copy": OWN_MESSAGES,
    "documents:built_delete": OWN_MESSAGES,
    "documents:built_file": OWN_MESSAGES,
    "documents:schedules": SIGNED_IN,
    "documents:add_schedule": SIGNED_IN,
    "documents:schedule": SECRETARIAT,
    "documents:edit_schedule": SECRETARIAT,
    "documents:pause": SECRETARIAT,
    "documents:delete_schedule": SECRETARIAT,
    # Whoever gets it: the secretariat gets one of the two.
    "documents:unsubscribe": OWN_MESSAGES,
    "documents:retry": SECRETARIAT,
    "api:list_editions": SIGNED_IN,
    "api:edition_download": SIGNED_IN,
    "api:list_built": SIGNED_IN,
    "api:run_built": OWN_MESSAGES,
    "programs:list": SIGNED_IN,
    "programs:detail": SIGNED_IN,
    "programs:create": who(secretariat=ALL, agency_operator=ALL),
    "programs:edit": EDITS_OWN_PROGRAMS,
    "programs:delete": EDITS_OWN_PROGRAMS,
    "programs:copy": who(secretariat=ALL, agency_operator=ALL),
    "programs:export": SIGNED_IN,
    "programs:template": who(secretariat=ALL, agency_operator=ALL),
    "programs:upload": who(secretariat=ALL, agency_operator=ALL),
    "programs:preview": EDITS_OWN_PROGRAMS,
    "programs:apply": EDITS_OWN_PROGRAMS,
    "programs:missions": SIGNED_IN,
    "programs:create_mission": SECRETARIAT,
    "programs:edit_mission": SECRETARIAT,
    "programs:delete_mission": SECRETARIAT,
    "programs:create_activity": EDITS_OWN_PROGRAMS,
    "programs:edit_activity": EDITS_OWN_PROGRAMS,
    "programs:delete_activity": EDITS_OWN_PROGRAMS,
    "programs:sub_activity": SIGNED_IN,
    "programs:create_sub_activity": EDITS_OWN_PROGRAMS,
    "programs:edit_sub_activity": EDITS_OWN_PROGRAMS,
    "programs:cancel_sub_activity": EDITS_OWN_PROGRAMS,
    "programs:restore_sub_activity": EDITS_OWN_PROGRAMS,
    "programs:delete_sub_activity": EDITS_OWN_PROGRAMS,
    # Targeting
    "targeting:list": SIGNED_IN,
    "targeting:detail": SIGNED_IN,
    "targeting:create": who(secretariat=ALL, agency_operator=ALL),
    "targeting:edit": who(secretariat=ALL, agency_operator=OWN),
    "targeting:workbench": who(secretariat=ALL, agency_operator=ALL),
    "api:list_rules": SIGNED_IN,
    "api:one_rule": SIGNED_IN,
    "api:evaluate": who(secretariat=ALL, agency_operator=ALL),
    # Recipients
    "beneficiaries:overview": SIGNED_IN,
    "beneficiaries:sub_activity": SIGNED_IN,
    "beneficiaries:export": EDITS_OWN_PROGRAMS,
    "beneficiaries:enrol_one": EDITS_OWN_PROGRAMS,
    "beneficiaries:enrol_rule": EDITS_OWN_PROGRAMS,
    "beneficiaries:enrol_file": EDITS_OWN_PROGRAMS,
    "beneficiaries:deliver_file": EDITS_OWN_PROGRAMS,
    "beneficiaries:many": EDITS_OWN_PROGRAMS,
    "beneficiaries:example": who(secretariat=ALL, agency_operator=ALL),
    "beneficiaries:batch": EDITS_OWN_PROGRAMS,
    "beneficiaries:batch_progress": EDITS_OWN_PROGRAMS,
    "beneficiaries:batch_corrections": EDITS_OWN_PROGRAMS,
    "beneficiaries:batch_approve": EDITS_OWN_PROGRAMS,
    "beneficiaries:batch_cancel": EDITS_OWN_PROGRAMS,
    "beneficiaries:door": who(secretariat=ALL, agency_operator=ALL, area_operator=ALL),
    "beneficiaries:verify": VERIFIES,
    "beneficiaries:undo": VERIFIES,
    "beneficiaries:enrolment": SEES_PEOPLE,
    "beneficiaries:proof": SEES_PEOPLE,
    "beneficiaries:move": EDITS_OWN_PROGRAMS,
    "beneficiaries:correct": EDITS_OWN_PROGRAMS,
    "beneficiaries:record_delivery": EDITS_OWN_PROGRAMS,
    "beneficiaries:correct_delivery": EDITS_OWN_PROGRAMS,
    "beneficiaries:void_delivery": EDITS_OWN_PROGRAMS,
    # The registry
    "registry:search": who(
        secretariat=ALL, agency_head=ALL, agency_operator=ALL, area_operator=ALL
    ),
    "registry:export": who(secretariat=ALL, agency_operator=ALL, area_operator=ALL),
    "registry:create": who(secretariat=ALL, agency_operator=ALL, area_operator=ALL),
    "registry:household": SEES_PEOPLE,
    "registry:photo": SEES_PEOPLE,
    "registry:edit": EDITS_PEOPLE,
    "registry:status": EDITS_PEOPLE,
    "registry:reveal": EDITS_PEOPLE,
    "registry:add_person": EDITS_PEOPLE,
    "registry:add_photo": EDITS_PEOPLE,
    "registry:edit_person": EDITS_PEOPLE,
    "registry:person_status": EDITS_PEOPLE,
    "registry:move": EDITS_PEOPLE,
    "registry:delete_photo": EDITS_PEOPLE,
    # Datasets and imports
    "datasets:list": SIGNED_IN,
    "datasets:detail": SIGNED_IN,
    "datasets:compare": SIGNED_IN,
    "datasets:create": who(secretariat=ALL, agency_operator=ALL),
    "datasets:edit": RUNS_OWN_DATASETS,
    "datasets:export": RUNS_OWN_DATASETS,
    "datasets:mark_reference": SECRETARIAT,
    "imports:list": who(secretariat=ALL, agency_head=ALL, agency_operator=ALL),
    "imports:new": who(secretariat=ALL, agency_operator=ALL),
    "imports:run": SEES_OWN_IMPORTS,
    "imports:progress": SEES_OWN_IMPORTS,
    "imports:map": RUNS_OWN_DATASETS,
    "imports:sheet": RUNS_OWN_DATASETS,
    "imports:corrections": RUNS_OWN_DATASETS,
    "imports:approve": RUNS_OWN_DATASETS,
    "imports:cancel": RUNS_OWN_DATASETS,
    # Linking lists to the registry: each agency its own; duplicates and the model by the secretariat
    "linking:list": who(secretariat=ALL, agency_head=ALL, agency_operator=ALL),
    "linking:new": who(secretariat=ALL, agency_operator=ALL),
    "linking:duplicates": SECRETARIAT,
    "linking:model": who(secretariat=ALL, agency_head=ALL, agency_operator=ALL),
    "linking:thresholds": SECRETARIAT,
    "linking:learn": SECRETARIAT,
    **{
        f"linking:{name}": SEES_OWN_IMPORTS
        for name in ("run", "progress", "outcome", "differences", "run_model")
    },
    **{
        f"linking:{name}": RUNS_OWN_DATASETS
        for name in ("sheet", "map", "cancel", "review", "decide", "undo", "export")
    },
    "api:link_runs": who(secretariat=ALL, agency_head=ALL, agency_operator=ALL),
    "api:link_run": SEES_OWN_IMPORTS,
    "api:link_rows": SEES_OWN_IMPORTS,
    # Obstacles: all read them; who reported one and who is needed act on it
    "obstacles:list": SIGNED_IN,
    "obstacles:detail": SIGNED_IN,
    "obstacles:analysis": SIGNED_IN,
    "obstacles:export": SIGNED_IN,
    "obstacles:report": who(
        secretariat=ALL, agency_head=ALL, agency_operator=ALL, area_operator=ALL
    ),
    **{
        f"obstacles:{name}": who(
            secretariat=ALL, agency_head=OWN, agency_operator=OWN, area_operator=OWN
        )
        for name in ("step", "solve", "hand_over", "extend", "escalate", "reopen")
    },
    # Talk: who may see the record may read, and all but the auditor may write
    "discussions:thread": SEES_PEOPLE,
    "discussions:write": SEES_PEOPLE,
    "discussions:mentions": SEES_PEOPLE,
    "discussions:attachment": SEES_PEOPLE,
    "discussions:withdraw": OWN_MESSAGES,
    # Indicators, published figures, estimates of poverty
    "targets:list": SIGNED_IN,
    "targets:indicator": SIGNED_IN,
    "targets:download": SIGNED_IN,
    "targets:create": SECRETARIAT,
    "targets:edit": SECRETARIAT,
    "targets:copy": SECRETARIAT,
    "targets:load_built_in": SECRETARIAT,
    "targets:upload": who(secretariat=ALL, agency_head=ALL, agency_operator=ALL),
    "targets:year": RUNS_OWN_INDICATORS,
    "targets:published": SIGNED_IN,
    "targets:published_download": SIGNED_IN,
    "targets:published_upload": SECRETARIAT,
    "targets:load_published": SECRETARIAT,
    "targets:estimates": SIGNED_IN,
    "targets:estimate": SIGNED_IN,
    "targets:estimate_new": who(secretariat=ALL, agency_head=ALL, agency_operator=ALL),
    "targets:estimate_columns": RUNS_OWN_INDICATORS,
    "targets:estimate_delete": RUNS_OWN_INDICATORS,
    "targets:registry_estimate": SECRETARIAT,
    "discussions:list": SIGNED_IN,
    "discussions:search": SIGNED_IN,
    "discussions:start": who(secretariat=ALL, agency_head=ALL, agency_operator=ALL),
    # Between agencies: the agencies named, the secretariat, and the auditor to read
    "discussions:conversation": who(
        secretariat=ALL, agency_head=OWN, agency_operator=OWN, auditor=ALL
    ),
    # News: one's own, and only to oneself
    "discussions:notifications": SIGNED_IN,
    "discussions:open_notification": who(secretariat=OWN),
    "discussions:read_all": SIGNED_IN,
    "discussions:preferences": SIGNED_IN,
    "discussions:stream": SIGNED_IN,
    # Data requests: asked by one agency, answered by the owner of the dataset
    "sharing:list": SIGNED_IN,
    "sharing:detail": SIGNED_IN,
    "sharing:ask": who(agency_head=ALL, agency_operator=ALL),
    "sharing:grant": who(agency_head=OWN, agency_operator=OWN),
    "sharing:refuse": who(agency_head=OWN, agency_operator=OWN),
    "sharing:revoke": who(agency_head=OWN, agency_operator=OWN),
    "sharing:withdraw": who(agency_head=OWN, agency_operator=OWN),
    "sharing:take": who(agency_operator=OWN),
    "scorecard:overview": SIGNED_IN,
    "scorecard:agency": SIGNED_IN,
    "scorecard:evidence": SIGNED_IN,
    # Proposals and objections; citizens complain and follow theirs without an account
    "proposals:list": who(secretariat=ALL, agency_head=ALL, agency_operator=ALL, area_operator=ALL),
    "proposals:detail": SEES_PEOPLE,
    "proposals:file": SEES_PEOPLE,
    "proposals:new": who(secretariat=ALL, agency_operator=ALL, area_operator=ALL),
    "proposals:deliberate": EDITS_PEOPLE,
    "proposals:verify": EDITS_PEOPLE,
    "proposals:appeal": EDITS_PEOPLE,
    "proposals:decide": who(secretariat=ALL, agency_operator=OWN),
    "proposals:answer": who(secretariat=ALL, agency_operator=OWN),
    "proposals:turn": who(secretariat=ALL, agency_operator=OWN),
    "proposals:decide_appeal": SECRETARIAT,
    "proposals:lodge": ANYONE,
    "proposals:track": ANYONE,
    # Field work
    "fieldwork:rounds": who(secretariat=ALL, agency_head=ALL, agency_operator=ALL),
    "fieldwork:round": SEES_OWN_IMPORTS,
    "fieldwork:visits": SEES_OWN_IMPORTS,
    "fieldwork:create": who(secretariat=ALL, agency_operator=ALL),
    **dict.fromkeys(
        (
            "fieldwork:edit",
            "fieldwork:add_households",
            "fieldwork:open",
            "fieldwork:close",
            "fieldwork:export",
            "fieldwork:accept",
            "fieldwork:settle",
            "fieldwork:match_member",
            "fieldwork:reject",
            "fieldwork:reveal",
            "fieldwork:assign",
            "fieldwork:add_address",
            "fieldwork:cancel_visit",
        ),
        who(secretariat=ALL, agency_operator=OWN),
    ),
    **dict.fromkeys(
        (
            "fieldwork:app",
            "fieldwork:worker",
            "fieldwork:manifest",
            "fieldwork:session",
            "fieldwork:data",
            "fieldwork:send",
        ),
        who(secretariat=ALL, agency_operator=ALL, area_operator=ALL),
    ),
    **dict.fromkeys(
        ("fieldwork:form_list", "fieldwork:form_page", "fieldwork:xlsform", "fieldwork:xform"),
        who(secretariat=ALL, agency_head=ALL, agency_operator=ALL),
    ),
    **dict.fromkeys(
        ("fieldwork:bring", "fieldwork:load_submissions"), who(secretariat=ALL, agency_operator=ALL)
    ),
    **dict.fromkeys(
        (
            "fieldwork:form_upload",
            "fieldwork:load",
            "fieldwork:load_progress",
            "fieldwork:load_report",
        ),
        who(secretariat=ALL, agency_operator=OWN),
    ),
    **dict.fromkeys(
        ("api:list_rounds",), who(secretariat=ALL, agency_head=ALL, agency_operator=ALL)
    ),
    **dict.fromkeys(("api:one_round", "api:list_visits"), SEES_OWN_IMPORTS),
    "api:list_submissions": who(
        secretariat=ALL, agency_head=ALL, agency_operator=ALL, area_operator=ALL
    ),
    "api:one_submission": ACTS_ON_OBSTACLES,
    **dict.fromkeys(
        ("api:store_attachment", "api:store_part"), who(secretariat=ALL, agency_operator=ALL)
    ),
    "api:list_forms": who(secretariat=ALL, agency_head=ALL, agency_operator=ALL),
    **dict.fromkeys(("api:store_kobo", "api:store_xml"), who(secretariat=ALL, agency_operator=ALL)),
    "fieldwork:part": VERIFIES,
    "fieldwork:submission": ACTS_ON_OBSTACLES,
    "fieldwork:attachment": ACTS_ON_OBSTACLES,
    # Personal data protection
    "privacy:notice": ANYONE,
    "privacy:lodge": ANYONE,
    "privacy:track": ANYONE,
    "privacy:register": who(secretariat=ALL, regent=ALL, auditor=ALL),
    **dict.fromkeys(
        (
            "privacy:requests",
            "privacy:desk",
            "privacy:request",
            "privacy:verify",
            "privacy:close",
            "privacy:copy",
            "privacy:lift",
            "privacy:contact",
            "privacy:new_activity",
            "privacy:activity",
            "privacy:new_breach",
            "privacy:breach",
        ),
        SECRETARIAT,
    ),
    # Retention: the auditor reads, two of the secretariat decide
    "retention:list": who(secretariat=ALL, auditor=ALL),
    "retention:disposal": who(secretariat=ALL, auditor=ALL),
    "retention:progress": who(secretariat=ALL, auditor=ALL),
    "retention:certificate": who(secretariat=ALL, auditor=ALL),
    **dict.fromkeys(
        (
            "retention:schedule",
            "retention:propose",
            "retention:submit",
            "retention:approve",
            "retention:drop",
            "retention:hold",
            "retention:lift",
        ),
        SECRETARIAT,
    ),
    # Coordination meetings
    "meetings:list": SIGNED_IN,
    "meetings:detail": SIGNED_IN,
    "meetings:calendar": SIGNED_IN,
    "meetings:minutes_pdf": SIGNED_IN,
    "meetings:minutes_docx": SIGNED_IN,
    "meetings:turnout": SIGNED_IN,
    "meetings:decisions": SIGNED_IN,
    "meetings:decision": SIGNED_IN,
    "meetings:actions": SIGNED_IN,
    "meetings:action": SIGNED_IN,
    "meetings:create": SECRETARIAT,
    "meetings:edit": SECRETARIAT,
    "meetings:cancel": SECRETARIAT,
    "meetings:fill": SECRETARIAT,
    "meetings:add_item": SECRETARIAT,
    "meetings:edit_item": SECRETARIAT,
    "meetings:move_item": SECRETARIAT,
    "meetings:drop_item": SECRETARIAT,
    "meetings:invite": SECRETARIAT,
    "meetings:open": SECRETARIAT,
    "meetings:code": SECRETARIAT,
    "meetings:add_attendance": SECRETARIAT,
    "meetings:remove_attendance": SECRETARIAT,
    "meetings:decide": SECRETARIAT,
    "meetings:add_action": SECRETARIAT,
    "meetings:close": SECRETARIAT,
    "meetings:check_in": ANYONE,  # the code on the wall is what guards it
    "meetings:reply": who(secretariat=ALL, agency_head=OWN, agency_operator=OWN),
    "meetings:mandate_letter": who(secretariat=ALL, agency_head=OWN, agency_operator=OWN),
    "meetings:sign_mandate": who(agency_head=OWN),
    "meetings:give_input": who(agency_head=ALL, agency_operator=ALL),
    "meetings:ratify": who(agency_head=OWN),
    "meetings:rule": who(regent=ALL),
    "meetings:update_action": who(secretariat=ALL, agency_head=OWN, agency_operator=OWN),
    # Reconciliation
    "reconciliation:queue": who(
        secretariat=ALL, agency_head=ALL, agency_operator=ALL, area_operator=ALL
    ),
    "reconciliation:progress": who(
        secretariat=ALL, agency_head=ALL, agency_operator=ALL, area_operator=ALL
    ),
    "reconciliation:compare": SECRETARIAT,
    "reconciliation:settle": SECRETARIAT,
    "reconciliation:rules": SECRETARIAT,
    "reconciliation:rule": SECRETARIAT,
    "reconciliation:verify": who(secretariat=ALL, area_operator=OWN),
    "reconciliation:corrections": RUNS_OWN_DATASETS,
    "api:differences": who(
        secretariat=ALL, agency_head=ALL, agency_operator=ALL, area_operator=ALL
    ),
    "api:merges": who(secretariat=ALL, agency_head=ALL, agency_operator=ALL, area_operator=ALL),
    "api:settle_differences": SECRETARIAT,
    # At the same address as the list, which answers first.
    "api:merge_records": who(
        secretariat=ALL, agency_head=ALL, agency_operator=ALL, area_operator=ALL
    ),
    "reconciliation:merges": who(
        secretariat=ALL, agency_head=ALL, agency_operator=ALL, area_operator=ALL
    ),
    "reconciliation:merge": SEES_PEOPLE,
    "reconciliation:find_pair": who(secretariat=ALL, agency_operator=ALL),
    "reconciliation:merge_households": who(secretariat=ALL, agency_operator=ALL),
    "reconciliation:merge_people": who(secretariat=ALL, agency_operator=ALL),
    "reconciliation:unmerge": who(secretariat=ALL, agency_operator=ALL),
    # Overlap: sums for everybody, names for those who see people, rulings by the secretariat
    "allocation:list": SIGNED_IN,
    "allocation:scenario": SIGNED_IN,
    "allocation:progress": SIGNED_IN,
    "allocation:compare": SIGNED_IN,
    "allocation:create": SECRETARIAT,
    "allocation:edit": SECRETARIAT,
    "allocation:copy": SECRETARIAT,
    "allocation:delete": SECRETARIAT,
    "allocation:start": SECRETARIAT,
    "allocation:choose": SECRETARIAT,
    "allocation:households": SEES_RECIPIENTS_EVERYWHERE,
    "allocation:explain": SEES_RECIPIENTS_EVERYWHERE,
    "allocation:export": SECRETARIAT,
    "allocation:adopt": who(secretariat=ALL, agency_operator=OWN),
    "api:allocation_scenarios": SIGNED_IN,
    "api:allocation_scenario": SIGNED_IN,
    "overlaps:list": SIGNED_IN,
    "overlaps:case": SIGNED_IN,
    "overlaps:reckon": SECRETARIAT,
    "overlaps:settle": SECRETARIAT,
    "overlaps:reopen": SECRETARIAT,
    "overlaps:gaps": SIGNED_IN,
    "overlaps:households": who(
        secretariat=ALL, agency_head=ALL, agency_operator=ALL, area_operator=ALL
    ),
    "overlaps:export": who(secretariat=ALL, agency_operator=ALL),
    "overlaps:coverage": SIGNED_IN,
    "overlaps:coverage_areas": SIGNED_IN,
    "overlaps:coverage_export": SIGNED_IN,
    "overlaps:budget": SIGNED_IN,
    "overlaps:budget_area": SIGNED_IN,
    # Progress reports
    "reports:list": SIGNED_IN,
    "reports:report": SIGNED_IN,
    "reports:sub_activity": SIGNED_IN,
    "reports:attachment": SIGNED_IN,
    "reports:lateness": SIGNED_IN,
    "reports:deviations": SIGNED_IN,
    "reports:queue": SECRETARIAT,
    "reports:review": SECRETARIAT,
    "reports:schedule_year": SECRETARIAT,
    "reports:schedule": WRITES_OWN_REPORTS,
    "reports:plan": WRITES_OWN_REPORTS,
    "reports:edit": WRITES_OWN_REPORTS,
    "reports:detach": WRITES_OWN_REPORTS,
    "reports:upload": WRITES_OWN_REPORTS,
    "reports:apply": WRITES_OWN_REPORTS,
    "reports:submit": who(secretariat=ALL, agency_head=OWN, agency_operator=OWN),
    "reports:workbook": who(secretariat=ALL, agency_operator=ALL),
    "reports:download": who(secretariat=ALL, agency_operator=ALL),
    # The audit log
    "audit:list": AUDITOR,
    "audit:detail": AUDITOR,
    "audit:verify": AUDITOR,
    "audit:export": AUDITOR,
    # The installation itself
    "operations:live": ANYONE,
    "operations:ready": ANYONE,
    "operations:metrics": ANYONE,  # on the same machine; its own tests say who else
    "operations:overview": who(secretariat=ALL, auditor=ALL),
    "operations:retry": SECRETARIAT,
    # The HTTP API
    "api:list_agencies": SIGNED_IN,
    "api:one_agency": SIGNED_IN,
    "api:list_programs": SIGNED_IN,
    "api:one_program": SIGNED_IN,
    "api:list_sub_activities": SIGNED_IN,
    "api:one_sub_activity": SIGNED_IN,
    "api:list_areas": SIGNED_IN,
    "api:one_area": SIGNED_IN,
    "api:datasets": SIGNED_IN,
    "api:dataset": SIGNED_IN,
    "api:list_obstacles": SIGNED_IN,
    "api:one_obstacle": SIGNED_IN,
    "api:indicators": SIGNED_IN,
    "api:indicator": SIGNED_IN,
    "api:published_figures": SIGNED_IN,
    "api:estimates": SIGNED_IN,
    "api:overlap_cases": SIGNED_IN,
    "api:overlap_coverage": SIGNED_IN,
    "api:list_reports": SIGNED_IN,
    "api:one_report": SIGNED_IN,
    "api:lateness": SIGNED_IN,
    # Addresses that another operation reads: what they write is asked in the tests of their apps.
    "api:report_obstacle": SIGNED_IN,
    "api:submit_proposal": who(
        secretariat=ALL, agency_head=ALL, agency_operator=ALL, area_operator=ALL
    ),
    "api:save_report": WRITES_OWN_REPORTS,
    "api:submit_report": RUNS_OWN_INDICATORS,
    "api:add_step": ACTS_ON_OBSTACLES,
    "api:solve_obstacle": ACTS_ON_OBSTACLES,
    "api:list_households": who(
        secretariat=ALL, agency_head=ALL, agency_operator=ALL, area_operator=ALL
    ),
    "api:look_up": who(secretariat=ALL, agency_head=ALL, agency_operator=ALL, area_operator=ALL),
    "api:one_household": SEES_PEOPLE,
    "api:identifiers": EDITS_PEOPLE,
    "api:list_meetings": SIGNED_IN,
    "api:one_meeting": SIGNED_IN,
    "api:list_decisions": SIGNED_IN,
    "api:list_actions": SIGNED_IN,
    "api:list_requests": SIGNED_IN,
    "api:one_request": SIGNED_IN,
    "api:list_proposals": who(
        secretariat=ALL, agency_head=ALL, agency_operator=ALL, area_operator=ALL
    ),
    "api:one_proposal": SEES_PEOPLE,
    "api:deviations": SIGNED_IN,
    "api:recipient_totals": SIGNED_IN,
    "api:recipients": who(secretariat=ALL, agency_head=ALL, agency_operator=ALL, area_operator=ALL),
}

# URLs of libraries, whose views carry no guard of ours: whether the public gets in.
OPEN, SIGN_IN = "open", "sign in"
THIRD_PARTY: dict[str, str] = {
    "account_login": OPEN,
    "account_logout": OPEN,  # leads back to signing in
    "account_inactive": OPEN,
    "account_signup": OPEN,  # says that signing up is closed
    "account_reset_password": OPEN,
    "account_reset_password_done": OPEN,
    "account_reset_password_from_key": OPEN,  # the key is what guards it
    "account_reset_password_from_key_done": OPEN,
    "account_confirm_email": OPEN,  # the key is what guards it
    "account_email_verification_sent": OPEN,
    "account_confirm_login_code": SIGN_IN,  # leads back to signing in: no codes are sent
    "account_reauthenticate": SIGN_IN,
    "account_email": SIGN_IN,
    "account_change_password": SIGN_IN,
    "account_set_password": SIGN_IN,
    "mfa_index": SIGN_IN,
    "mfa_authenticate": SIGN_IN,
    "mfa_reauthenticate": SIGN_IN,
    "mfa_activate_totp": SIGN_IN,
    "mfa_deactivate_totp": SIGN_IN,
    "mfa_view_recovery_codes": SIGN_IN,
    "mfa_generate_recovery_codes": SIGN_IN,
    "mfa_download_recovery_codes": SIGN_IN,
    "mfa_list_webauthn": SIGN_IN,
    "mfa_add_webauthn": SIGN_IN,
    "mfa_reauthenticate_webauthn": SIGN_IN,
    "mfa_remove_webauthn": SIGN_IN,
    "mfa_edit_webauthn": SIGN_IN,
    "mfa_login_webauthn": SIGN_IN,  # hands out a challenge to scripts, a redirect to people
    "socialaccount_login_cancelled": OPEN,
    "socialaccount_login_error": OPEN,
    "socialaccount_signup": SIGN_IN,
    "socialaccount_connections": SIGN_IN,
    "openid_connect_login": OPEN,  # not found unless a provider is configured
    "openid_connect_callback": OPEN,
    "usersessions_list": SIGN_IN,
    # Old addresses that allauth redirects.
    "masuk/social/login/cancelled/": OPEN,
    "masuk/social/login/error/": OPEN,
    "masuk/social/signup/": OPEN,
    "masuk/social/connections/": OPEN,
    "api:openapi-json": OPEN,  # the shape of the API, not its data
    "api:api-root": OPEN,
}
THIRD_PARTY_KWARGS: dict[str, dict[str, Any]] = {
    "account_confirm_email": {"key": "karangan"},
    "account_reset_password_from_key": {"uidb36": "1", "key": "karangan"},
    "mfa_remove_webauthn": {"pk": 1},
    "mfa_edit_webauthn": {"pk": 1},
    "openid_connect_login": {"provider_id": "sso"},
    "openid_connect_callback": {"provider_id": "sso"},
}

# These do away with what the others need, so they are asked for last.
LAST = (
    "documents:built_delete",
    "documents:delete_schedule",
    "beneficiaries:batch_approve",
    "beneficiaries:batch_cancel",
    "imports:approve",
    "imports:cancel",
    "registry:delete_photo",
)


@dataclass(frozen=True)
class Url:
    name: str  # its route where it has no name
    view: Callable[..., Any]
    arguments: frozenset[str]


def urls() -> Iterator[Url]:
    """Walk the whole URL map."""

    def walk(resolver: URLResolver, spaces: tuple[str, ...], route: str) -> Iterator[Url]:
        for part in resolver.url_patterns:
            if isinstance(part, URLPattern):
                name = ":".join([*spaces, part.name]) if part.name else route + str(part.pattern)
                arguments = frozenset(part.pattern.regex.groupindex)
                yield Url(name, part.callback, arguments)
            else:
                inner = (*spaces, part.namespace) if part.namespace else spaces
                yield from walk(part, inner, route + str(part.pattern))

    yield from walk(get_resolver(), (), "")


def api_operations() -> dict[str, list[Callable[..., Any]]]:
    """Return the operations of the HTTP API by the name of their URL."""
    from guyub.api import api

    found: dict[str, list[Callable[..., Any]]] = {}
    for _prefix, router in api._routers:
        for path in router.path_operations.values():
            for operation in path.operations:
                name = getattr(operation, "url_name", "") or api.get_operation_url_name(
                    operation, router
                )
                found.setdefault(f"api:{name}", []).append(operation.view_func)
    return found


def test_every_url_is_declared_once():
    names = {url.name for url in urls()}
    undeclared = names - set(EXPECTED) - set(THIRD_PARTY)
    assert not undeclared, f"Say in EXPECTED who may open: {sorted(undeclared)}"
    assert not set(EXPECTED) & set(THIRD_PARTY)
    gone = (set(EXPECTED) | set(THIRD_PARTY)) - names
    assert not gone, f"No such URLs any more: {sorted(gone)}"


def test_every_view_of_ours_carries_a_guard():
    operations = api_operations()
    for url in urls():
        if url.name not in EXPECTED:
            module = getattr(url.view, "__module__", "")
            assert not module.startswith("guyub."), f"{url.name} is ours, not a library's"
            continue
        views = operations[url.name] if url.name.startswith("api:") else [url.view]
        for view in views:
            permission = getattr(view, "required_permission", None)
            assert permission == PUBLIC or permission in GRANTS, f"{url.name} has no guard"


def test_a_record_is_guarded_where_a_role_reaches_only_its_own():
    for url in urls():
        expected = EXPECTED.get(url.name)
        if expected is None or url.name.startswith("api:"):
            continue
        permission = url.view.required_permission  # type: ignore[attr-defined]
        if permission == PUBLIC or not url.arguments:
            continue
        narrow = any(scope is not ANY for scope in GRANTS[permission].values())
        if narrow or OWN in expected.values():
            assert url.view.guards_record, f"{url.name} must load its record in the guard"  # type: ignore[attr-defined]


def csv(*rows: str) -> list[bytes]:
    head = "NIK;No KK;Nama;JK;Tgl Lahir;Hubungan;Kecamatan;Desa;Alamat;RT;RW;Desil"
    return ["\n".join([head, *rows]).encode()]


def person_row(nik: str, kk: str, name: str) -> str:
    return f"{nik};{kk};{name};L;12/03/1985;Kepala Keluarga;Lumbir;Cirahab;Jl Mawar;1;2;1"


class World:
    """Users of every role, and for every URL with arguments one record of their own and another's.

    The agency roles belong to Dinsos, the area operator to Desa Cirahab. Records come in two: Dinsos'
    in Cirahab, and another agency's in Cilongok.
    """

    def __init__(self, make_user: Any, make_agency: Any, make_dataset: Any) -> None:
        from guyub.allocation.services import create_scenario
        from guyub.areas.models import Area
        from guyub.discussions import services as talk
        from guyub.obstacles import services as obstacles

        self.clients = {THE_PUBLIC: Client(raise_request_exception=False)}
        own_agency, other_agency = make_agency("dinsos"), make_agency("dinkes")
        users: dict[str, Any] = {}
        for role in Role:
            values = {"agency": own_agency} if role.startswith("agency") else {}
            client = Client(raise_request_exception=False)
            users[role] = make_user(role, **values)
            client.force_login(
                users[role], backend="allauth.account.auth_backends.AuthenticationBackend"
            )
            # Its session is noted as in use now, or else each request, being undone, would note it anew.
            client.get(reverse("accounts:me"))
            self.clients[role] = client
        self.records = {
            "own": self._records(
                make_user(Role.REGENT),
                make_dataset("milik-dinsos", owner=own_agency),
                "33.02.01.2001",
                "33020101010100",
                "33020112038500",
            ),
            "other": self._records(
                make_user(Role.AUDITOR),
                make_dataset("milik-dinkes", owner=other_agency),
                "33.02.17.2001",
                "33021701010100",
                "33021712038500",
            ),
        }
        for side, author in (
            ("own", users[Role.SECRETARIAT]),
            ("other", self.records["other"]["account"]),
        ):
            self.records[side].update(self._data_requests(side, own_agency, other_agency, author))
            self.records[side]["release"] = self._release(self.records[side]["dataset"])
            home = self.records[side]["home"]
            written = talk.write(
                home, "Sudah dicek.", author=author, uploads=[ContentFile(b"%PDF-1.7", "a.pdf")]
            )
            self.records[side]["message"] = written.message
            self.records[side]["attachment"] = written.message.attachments.get()
            talk.notify([author], "news", "Kabar", "/")
            self.records[side]["notification"] = author.notifications.get()
            self.records[side]["obstacle"] = obstacles.report(
                title="Data belum padan",
                description="Menunggu data.",
                category="data",
                severity=2,
                needed_agency=self.records[side]["dataset"].owner,
                due_on=timezone.localdate(),
                actor=make_user(
                    Role.AREA_OPERATOR, area=Area.objects.get(code=self.records[side]["area"])
                ),
            )
            self.records[side].update(self._documents(self.records[side], author))
            self.records[side]["conversation"] = talk.start_conversation(
                topic="Data",
                agencies=[self.records[side]["dataset"].owner],
                text="Halo",
                author=users[Role.SECRETARIAT],
            )

        self.case = self._overlap()
        for side in ("own", "other"):
            self.records[side]["scenario"] = create_scenario(
                2026, values={"name": side}, actor=users[Role.SECRETARIAT]
            )
        self.job = self._failed_job()

    @staticmethod
    def _failed_job() -> Any:
        """A job of the worker's queue that failed."""
        from django_tasks import TaskResultStatus
        from django_tasks_db.models import DBTaskResult

        return DBTaskResult.objects.create(
            status=TaskResultStatus.FAILED,
            task_path="guyub.reports.tasks.remind",
            args_kwargs={"args": [], "kwargs": {}},
            backend_name="default",
            run_after=timezone.now(),
            finished_at=timezone.now(),
        )

    @staticmethod
    def _documents(record: dict[str, Any], author: Any) -> dict[str, Any]:
        """Return a part of the LP2KD, an edition, and what ``author`` built and has mailed."""
        from guyub.documents import built, models, services
        from guyub.documents.question import Question

        document = models.Document.objects.filter(year=2026).first()
        if document is None:
            document = services.start_document(2026, actor=None)
        services.renew_sections(document, actor=None)
        edition = models.Edition.objects.create(
            document=document,
            number=document.editions.count() + 1,
            content={
                "title": "LP2KD",
                "subtitle": "",
                "regency": "",
                "chapters": [],
                "sources": [],
                "reference": "",
                "made_at": "",
                "made_by": "",
                "facts": [],
            },
            digest="",
            state="ready",
            issued_at=timezone.now(),
            digests={"pdf": hashlib.sha256(b"%PDF").hexdigest()},
        )
        edition.pdf.save("lp2kd.pdf", ContentFile(b"%PDF"))
        report = built.save(
            name="Keluarga",
            description="",
            question=Question.read({"subject": "keluarga", "rows": ["desil"]}),
            sharing="private",
            actor=author,
        )
        schedule = models.Schedule.objects.create(
            kind="built",
            built=report,
            format="xlsx",
            next_on=dt.date(2030, 1, 1),
            created_by=author,
        )
        schedule.recipients.add(author)
        return {
            "document": document,
            "section": document.sections.get(agency=record["dataset"].owner),
            "edition": edition,
            "built": report,
            "schedule": schedule,
            "dispatch": models.Dispatch.objects.create(
                schedule=schedule, user=author, due_on=dt.date(2026, 1, 1), state="failed"
            ),
        }

    @staticmethod
    def _overlap() -> Any:
        """Reckon, so that pages have numbers to show, and return a case."""
        from guyub.overlaps import queries, services
        from guyub.overlaps.models import OverlapCase

        year = queries.usual_year(queries.years())
        found_at = services.reckon(year).finished_at
        return OverlapCase.objects.create(
            year=year, help_kind="house_repair", found_at=found_at, seen_at=found_at
        )

    @staticmethod
    def _records(account: Any, dataset: Any, code: str, kk: str, nik: str) -> dict[str, Any]:
        from guyub.areas.models import Area
        from guyub.audit.models import Event
        from guyub.beneficiaries import services as beneficiaries
        from guyub.beneficiaries.batches import take_file
        from guyub.beneficiaries.models import BatchKind
        from guyub.connections.services import make_token
        from guyub.imports import services as imports
        from guyub.programs.models import Activity, Mission, Program, SubActivity, Upload
        from guyub.proposals.services import submit
        from guyub.registry.models import Photo
        from guyub.registry.services import create_household
        from guyub.targeting.services import create_rule
        from guyub.targets.models import Estimate, Indicator

        home = create_household(
            household={"kk": kk + "01", "village": Area.objects.get(code=code), "desil": 1},
            head={"nik": nik + "01", "name": "Tukiman", "sex": "M",
                  "birth_date": dt.date(1985, 3, 12)},
            as_of=dt.date(2026, 1, 5),
            actor=None,
        )  # fmt: skip
        picture = io.BytesIO()
        Image.new("RGB", (8, 8)).save(picture, "JPEG")
        photo = Photo.objects.create(
            household=home, added_by=account, file=ContentFile(picture.getvalue(), "rumah.jpg")
        )
        # Two versions to compare, and one more import that waits with a rejected row.
        base = nik[:6] + nik[6:]
        for day, rows in (
            (1, [person_row(base + "02", kk + "02", "Moh. Soekarno")]),
            (2, [person_row(base + "02", kk + "02", "Muhammad Sukarno")]),
            (3, [person_row(base + "03", kk + "03", "Wagiman"), person_row("12", "34", "Salah")]),
        ):
            run = imports.start(
                dataset,
                as_of=dt.date(2026, 2, day),
                file_name="daftar.csv",
                chunks=csv(*rows),
                actor=None,
            )
            run = imports.work(imports.confirm_mapping(run, run.mapping, None).pk)
            if day < 3:
                run = imports.work(imports.approve(run, None).pk)
        program = Program.objects.create(agency=dataset.owner, name="RTLH", year=2026)
        activity = Activity.objects.create(program=program, name="Perbaikan rumah")
        sub_activity = SubActivity.objects.create(
            activity=activity,
            agency=dataset.owner,
            year=2026,
            name="Stimulan bahan bangunan",
            strategy="expenditure",
            help_kind="house_repair",
            starts_on=dt.date(2026, 1, 1),
            ends_on=dt.date(2026, 12, 31),
        )
        report, workbook = World._report(sub_activity, account)
        enrolment = beneficiaries.enrol(sub_activity, household=home, person=None, actor=None)
        for stage in ("verified", "enrolled"):
            beneficiaries.move(enrolment, stage, actor=None)
        picture.seek(0)
        delivery = beneficiaries.record_delivery(
            enrolment,
            delivered_on=dt.date(2026, 1, 5),
            amount=1,
            proof=ContentFile(picture.getvalue(), "bukti.jpg"),
            actor=None,
        )
        batch = take_file(
            sub_activity,
            BatchKind.ENROL_FILE,
            file_name="daftar.csv",
            chunks=[f"NIK\n{base}02\n12\n".encode()],
            actor=None,
        )
        from guyub.linking import services as linking
        from guyub.linking.models import Pair

        linked = linking.start_file(
            dataset.owner, title="BLT", file_name="blt.csv", chunks=csv(person_row("", "", "Tukiman")),
            actor=None,
        )  # fmt: skip
        linking.confirm_mapping(linked, linked.mapping, actor=None)
        linked = linking.work(linked.pk)
        linked.pairs.all().delete()
        pair = Pair.objects.create(run=linked, record=2, person=home.members.get(), weight=1)
        assert batch.counts["accepted"] == batch.counts["rejected"] == 1, batch.counts
        assert dataset.versions.count() == 2
        assert run.counts["rejected"], run.counts
        receivers = World._receivers(dataset.owner)
        token = make_token(
            agency=dataset.owner,
            name="SIM",
            purpose="Uji",
            scopes=["programs:read"],
            expires_at=timezone.now() + dt.timedelta(days=9),
            actor=None,
        )[0]
        return {
            "account": account,
            "area": code,
            "dataset": dataset,
            "estimate": Estimate.objects.create(
                title="Survei",
                basis="survey",
                agency=dataset.owner,
                as_of=dt.date(2026, 3, 1),
                line=500000,
                computed_at=timezone.now(),
            ),
            "token": token,
            **receivers,
            **World._told(receivers["partner"], token),
            "event": Event.objects.latest("sequence"),
            "home": home,
            "indicator": Indicator.objects.create(
                code=f"indikator-{dataset.code}",
                name=f"Indikator {dataset.code}",
                kind="iku",
                owner=dataset.owner,
                unit="persen",
                direction="down",
            ),
            "person": home.members.get(),
            "photo": photo,
            **World._doubles(dataset, code, kk, nik),
            "proposal": submit(
                village=home.village,
                kind="complaint",
                values={"reason_kind": "help_missing", "reason": "Bantuan sembako belum sampai."},
                agency=dataset.owner,
                uploads=[ContentFile(picture.getvalue(), "rumah.jpg")],
            ),
            **World._privacy(account, nik),
            **World._field_work(dataset.owner, home, account),
            **World._retention(account),
            "program": program,
            "activity": activity,
            "mission": Mission.objects.get_or_create(
                number=1, first_year=2025, defaults={"last_year": 2029, "text": "Sejahtera"}
            )[0],
            "upload": Upload.objects.create(
                file_name="program.xlsx",
                content=b"",
                agency=dataset.owner,
                uploaded_by=account,
                outcome={"results": [], "programs": [], "activities": []},
                applied_at=timezone.now(),
            ),
            "sub_activity": sub_activity,
            "rule": create_rule(
                actor=None,
                agency=dataset.owner,
                name="Desil 1",
                text="desil == 1",
                sub_activities=[sub_activity],
            ),
            "enrolment": enrolment,
            "delivery": delivery,
            "batch": batch,
            "run": run,
            "linked": linked,
            "pair": pair,
            "report": report,
            "workbook": workbook,
            **World._meeting_records(dataset.owner, account),
        }

    @staticmethod
    def _privacy(account: Any, nik: str) -> dict[str, Any]:
        from guyub.privacy.models import Activity, Breach
        from guyub.privacy.services import lodge

        return {
            "subject_request": lodge({"right": "access", "name": "Tukiman", "nik": nik + "01"}),
            "processing": Activity.objects.create(
                name=f"Pemrosesan {nik}", purpose="-", legal_basis="-", data="-", subjects="-",
                recipients="-", retention_years=5, retention_basis="-", safeguards="-",
            ),
            "breach": Breach.objects.create(
                title="Laptop hilang", found_at=timezone.now(), data="-", how="-", handling="-",
                reported_by=account,
            ),
        }  # fmt: skip

    @staticmethod
    def _field_work(agency: Any, home: Any, account: Any) -> dict[str, Any]:
        """Make a round of an agency with a visit, what was sent about it, and its photo."""
        from django.core.files.base import ContentFile

        from guyub.fieldwork import receiving, services
        from guyub.fieldwork.definition import Definition
        from guyub.fieldwork.models import FormUpload, Load
        from guyub.fieldwork.verification import keep_built_in_form
        from guyub.fieldwork.xlsform_writing import write
        from guyub.registry.models import Household

        record = services.create_round(
            keep_built_in_form(), {"title": "Verifikasi", "agency": agency}, actor=account
        )
        services.add_households(record, Household.objects.filter(pk=home.pk), actor=account)
        services.open_round(record, actor=account)
        visit = record.visits.get()
        picture = io.BytesIO()
        Image.new("RGB", (8, 8)).save(picture, "JPEG")
        photo = receiving.Announced(
            key=uuid.uuid4(), name="rumah.jpg", path="/rumah/foto", media_type="image/jpeg"
        )
        submission = receiving.receive(
            instance=uuid.uuid4(), form_version=record.form_version, visit=visit, source="app",
            answers={"/rumah/lantai": "cement", "/rumah/foto": "rumah.jpg"}, attachments=[photo],
        ).submission  # fmt: skip
        receiving.keep_file(submission.attachments.get(), picture.getvalue())
        upload = FormUpload(file_name="survei.xlsx", agency=agency, created_by=account)
        cells = write(Definition.from_json(record.form_version.definition))
        upload.file.save("formulir", ContentFile(cells))
        load = Load.objects.create(
            form=record.form_version.form, file_name="kobo.xlsx", state="done", agency=agency,
            created_by=account,
        )  # fmt: skip
        return {
            "round": record, "visit": visit, "field_submission": submission, "form_upload": upload,
            "field_load": load,
        }  # fmt: skip

    @staticmethod
    def _retention(account: Any) -> dict[str, Any]:
        """Return a finished disposal, whose certificate can be read, its record and a hold."""
        from guyub.retention.models import Disposal, Hold, Item

        disposal = Disposal.objects.create(
            code="messages", years=5, basis="-", cutoff=dt.date(2020, 1, 1), state="done",
            submitted_by=account, approved_by=account, finished_at=timezone.now(),
        )  # fmt: skip
        item = Item.objects.create(disposal=disposal, record_id=1, state="done")
        hold = Hold.objects.create(code="messages", record_id=disposal.pk, reason="-")
        return {"disposal": disposal, "disposal_item": item, "hold": hold}

    @staticmethod
    def _receivers(agency: Any) -> dict[str, Any]:
        """Make a receiver of messages, a message to it, and a partner."""
        from guyub.connections.models import Delivery, Partner, Subscription
        from guyub.connections.sealing import seal

        subscription = Subscription.objects.create(
            agency=agency, url="https://sim.contoh.go.id/", secret=seal("whsec_"), is_active=False
        )
        delivery = Delivery.objects.create(
            subscription=subscription, message_id=f"msg_{agency.pk}", body="{}",
            next_at=timezone.now(),
        )  # fmt: skip
        partner = Partner.objects.create(name="Mitra", sender_id=agency.code, agency=agency)
        return {"subscription": subscription, "message_sent": delivery, "partner": partner}

    @staticmethod
    def _told(partner: Any, token: Any) -> dict[str, Any]:
        """Make a partner's subscription, which has ended, and a notice of it."""
        from guyub.connections.models import Notice, Watch

        now = timezone.now()
        watch = Watch.objects.create(
            partner=partner, token=token, code=f"w{partner.pk}", reference_id="r", event="UPDATE",
            criteria="", fingerprint="", entity="Group", starts_at=now, ended_at=now,
        )  # fmt: skip
        notice = Notice.objects.create(watch=watch, message_id=watch.code, households={})
        return {"watch": watch, "notice": notice}

    def _data_requests(self, side: str, own: Any, other: Any, author: Any) -> dict[str, Any]:
        """Return a request that the side's agency has to answer, and one that it made."""
        from guyub.sharing.models import DataRequest

        other_side = "other" if side == "own" else "own"
        agency, stranger = (own, other) if side == "own" else (other, own)
        day = dt.date(2030, 1, 1)

        def asked(owner_side: str, asker: Any) -> DataRequest:
            return DataRequest.objects.create(
                dataset=self.records[owner_side]["dataset"],
                agency=asker,
                asked_by=author,
                due_on=day,
                wanted_until=day,
                columns=["name"],
            )

        return {"asked_of": asked(side, stranger), "asked_by": asked(other_side, agency)}

    @staticmethod
    def _doubles(dataset: Any, code: str, kk: str, nik: str) -> dict[str, Any]:
        """Return a second household to merge, a merge that was done, and a difference."""
        from guyub.areas.models import Area
        from guyub.reconciliation.models import Difference
        from guyub.reconciliation.services import merge_households
        from guyub.registry.services import create_household

        homes = [
            create_household(
                household={"kk": kk + number, "village": Area.objects.get(code=code)},
                head={"nik": nik + number, "name": "Tukimin", "sex": "M"},
                as_of=dt.date(2026, 1, 5),
                actor=None,
            )
            for number in ("11", "12", "13")
        ]
        merge = merge_households(
            homes[1], homes[2], picked=(), reason="Tercatat dua kali.", actor=None
        )
        return {
            "second_home": homes[0],
            "second_person": homes[0].members.get(),
            "merge": merge,
            "difference": Difference.objects.create(
                kind="h", subject_id=homes[0].pk, household=homes[0], village=homes[0].village,
                district=homes[0].district, field="floor", dataset=dataset, theirs="tile",
                ours="earth", their_as_of=dt.date(2026, 2, 1), our_origin=homes[0].origin,
                our_as_of=dt.date(2026, 1, 5), why="ask", state="verify", found_at=timezone.now(),
            ),
        }  # fmt: skip

    @staticmethod
    def _meeting_records(agency: Any, account: Any) -> dict[str, Any]:
        """Return a meeting that an agency is invited to, with a decision that it has to ratify."""
        from django.utils import timezone

        from guyub.meetings import decisions, services
        from guyub.meetings.models import Meeting

        now = timezone.now()
        meeting = services.plan_meeting(
            actor=account,
            values={
                "title": "Rapat",
                "starts_at": now,
                "ends_at": now + dt.timedelta(hours=1),
                "place": "Pendopo",
                "input_due_on": now.date(),
                "quorum_percent": 1,
            },
        )
        item = services.save_item(
            meeting, actor=account, values={"title": "RTLH", "description": ""}, agencies=[agency]
        )
        services.invite(meeting, [agency], actor=account)
        services.open_meeting(meeting, actor=account)
        attendance = services.check_in(meeting, name="Tamu", recorded_by=account)
        action = decisions.add_action(
            meeting,
            actor=account,
            text="Padankan",
            agency=agency,
            due_on=now.date() + dt.timedelta(9),
        )
        decision = decisions.Decision.objects.create(
            meeting=meeting, item=item, number=1, text="Ya.", state="pending", decided_at=now
        )
        consent = decisions.Consent.objects.create(
            decision=decision, agency=agency, stance="awaited"
        )
        return {
            "meeting": Meeting.objects.get(pk=meeting.pk),
            "item": item,
            "invitation": meeting.invitations.get(),
            "attendance": attendance,
            "action": action,
            "decision": decision,
            "consent": consent,
        }

    @staticmethod
    def _report(sub_activity: Any, account: Any) -> tuple[Any, Any]:
        """Make a report under way with a picture, and a workbook that waits to be applied."""
        from guyub.reports.models import Attachment, Report, Upload
        from guyub.reports.schedules import set_schedule

        set_schedule(sub_activity, frequency="quarterly", grace_days=10, actor=None)
        report = Report.objects.filter(sub_activity=sub_activity).earliest("period_end")
        picture = io.BytesIO()
        Image.new("RGB", (8, 8)).save(picture, "JPEG")
        Attachment.objects.create(
            report=report,
            file=ContentFile(picture.getvalue(), "foto.jpg"),
            name="foto.jpg",
            media_type="image/jpeg",
            size=len(picture.getvalue()),
            added_by=account,
        )
        upload = Upload.objects.create(
            agency=sub_activity.agency, name="laporan.xlsx", added_by=account
        )
        return report, upload

    @staticmethod
    def _document_arguments(page: str, record: dict[str, Any]) -> dict[str, Any]:
        if page == "edition_download":
            return {"edition_id": record["edition"].pk, "ending": "pdf"}
        if page == "run_built" or page.startswith("built"):
            found = {"token": record["built"].token}
            return {**found, "ending": "xlsx"} if page == "built_file" else found
        if page == "build_file":
            return {"ending": "xlsx"}
        if page in ("area_page", "area_progress", "compute_area"):
            return {"code": record["area"].rpartition(".")[0].rpartition(".")[0]}
        if page in ("figures_progress", "compute_figures"):
            return {"year": record["document"].year}
        if page in ("document", "preview", "ask", "renew", "issue", "trial"):
            return {"year": record["document"].year}
        if page in ("section", "assign"):
            return {"pk": record["section"].pk}
        if page == "agency_report":
            return {"code": record["dataset"].owner.code, "ending": "xlsx"}
        if page == "area_report":
            return {"code": record["area"], "ending": "xlsx"}
        if page == "program_report":
            return {"pk": record["program"].pk, "ending": "xlsx"}
        if "edition" in page:
            found = {"pk": record["edition"].pk}
            return {**found, "ending": "pdf"} if page == "edition_file" else found
        return {"pk": record["dispatch" if page == "retry" else "schedule"].pk}

    @staticmethod
    def _release(dataset: Any) -> Any:
        """Return what everybody may see of the dataset's first version, with one file."""
        from guyub.portal.models import Release, ReleasedFile, ReleaseState

        version = dataset.versions.order_by("number").first()
        release = Release.objects.create(
            version=version,
            year=version.as_of.year,
            as_of=version.as_of,
            state=ReleaseState.RELEASED,
            released_at=timezone.now(),
        )
        file = ReleasedFile.objects.create(
            release=release, dataset="keluarga-desil", format="csv", rows=0, size=1, digest="0" * 64
        )
        file.path.parent.mkdir(parents=True, exist_ok=True)
        file.path.write_text(";")
        return release

    def kwargs(self, name: str, side: str) -> dict[str, Any]:
        """Return the URL arguments for ``name`` about the record of ``side``."""
        record = self.records[side]
        if name in ("home:area", "areas:detail", "api:one_area"):
            return {"code": record["area"]}
        if name.startswith("agencies:") or name == "api:one_agency":
            return {"code": record["dataset"].owner.code}
        if name == "api:dataset" or name in ("datasets:detail", "datasets:edit"):
            return {"code": record["dataset"].code}
        if name in ("datasets:mark_reference", "datasets:export"):
            return {"code": record["dataset"].code, "number": 1}
        if name == "datasets:compare":
            return {"code": record["dataset"].code, "older": 1, "newer": 2}
        if name in ("targets:indicator", "targets:edit", "api:indicator"):
            return {"code": record["indicator"].code}
        if name == "targets:year":
            return {"code": record["indicator"].code, "year": 2025}
        if name in ("registry:edit_person", "registry:person_status", "registry:move"):
            return {"pk": record["person"].pk}
        if name in ("registry:photo", "registry:delete_photo"):
            return {"pk": record["photo"].pk}
        if name in ("discussions:thread", "discussions:write", "discussions:mentions"):
            return {"subject_type": "registry.household", "subject_id": str(record["home"].pk)}
        app, _, page = name.partition(":")
        if name in ("api:save_report", "api:submit_report"):
            return {"pk": record["report"].pk}
        if name in ("api:add_step", "api:solve_obstacle"):
            return {"obstacle_id": record["obstacle"].pk}
        if name in ("api:one_household", "api:identifiers"):
            return {"pk": record["home"].pk}
        if name == "api:one_meeting":
            return {"pk": record["meeting"].pk}
        if name == "api:one_request":
            return {"pk": record["asked_of"].pk}
        if name == "api:one_proposal":
            return {"pk": record["proposal"].pk}
        if name in ("api:store_kobo", "api:store_xml"):
            return {"id_string": record["round"].form_version.form.id_string}
        if name in ("api:one_round", "api:list_visits"):
            return {"pk": record["round"].pk}
        if name == "api:one_submission":
            return {"instance": record["field_submission"].instance}
        if name in ("api:store_attachment", "api:store_part"):
            return {"key": record["field_submission"].attachments.get().key}
        if app == "fieldwork":
            if page == "form_upload":
                return {"pk": record["form_upload"].pk}
            if page in ("load", "load_progress", "load_report"):
                return {"pk": record["field_load"].pk}
            version = record["round"].form_version
            if page == "form_page":
                return {"pk": version.form_id}
            if page in ("xlsform", "xform"):
                return {"pk": version.pk}
            submission = record["field_submission"]
            if page == "part":
                return {"key": submission.attachments.get().key}
            if page == "attachment":
                return {"pk": submission.attachments.get().pk}
            if page == "cancel_visit":
                return {"pk": record["visit"].pk}
            about_submission = (
                "submission",
                "accept",
                "settle",
                "match_member",
                "reject",
                "reveal",
            )
            return {"pk": submission.pk if page in about_submission else record["round"].pk}
        if app == "connections":
            kind = {"resend": "message_sent", "end_watch": "watch", "resend_notice": "notice"}
            kind |= dict.fromkeys(
                ("partner", "switch_partner", "edit_partner", "read_partner_keys"), "partner"
            )
            usual = "subscription" if page.endswith("webhook") else "token"
            return {"pk": record[kind.get(page, usual)].pk}
        if app == "documents" or name in ("api:edition_download", "api:run_built"):
            return self._document_arguments(page, record)
        if page == "public_table":
            return {"pk": record["release"].pk, "dataset": "angka-kemiskinan"}
        if page == "public_counts":
            return {"pk": record["release"].pk}
        if name == "portal:district":
            return {"code": record["area"].rpartition(".")[0]}
        if name == "portal:download":
            return {"release": record["release"].pk, "dataset": "keluarga-desil", "form": "csv"}
        if app == "portal":
            return {
                "pk": record["release"].version_id if page == "prepare" else record["release"].pk
            }
        if name == "api:one_rule":
            return {"rule_id": record["rule"].pk}
        if app == "programs" and page.endswith("sub_activity"):
            # A new one is made within an activity.
            return {"pk": record["activity" if page.startswith("create") else "sub_activity"].pk}
        if app == "programs" and page.endswith("_mission"):
            return {"pk": record["mission"].pk}
        if app == "programs" and page in ("preview", "apply"):
            return {"pk": record["upload"].pk}
        if name == "api:one_program":
            return {"pk": record["program"].pk}
        if name == "api:one_sub_activity":
            return {"pk": record["sub_activity"].pk}
        if app == "programs" and page in ("edit_activity", "delete_activity"):
            return {"pk": record["activity"].pk}
        if name == "api:one_obstacle":
            return {"obstacle_id": record["obstacle"].pk}
        if name.startswith("discussions:"):
            kind = {"open_notification": "notification", "withdraw": "message"}
            page = name.partition(":")[2]
            return {"pk": record[kind.get(page, page)].pk}
        if name == "meetings:check_in":
            from guyub.meetings.services import check_in_token

            return {"token": check_in_token(record["meeting"])}
        app, _colon, page = name.partition(":")
        if app == "retention":
            if page == "schedule":
                return {"code": "photos"}
            kinds = {"hold": "disposal_item", "lift": "hold"}
            return {"pk": record[kinds.get(page, "disposal")].pk}
        if app == "privacy":
            kinds = {"activity": "processing", "breach": "breach"}
            return {"pk": record[kinds.get(page, "subject_request")].pk}
        if name == "operations:retry":
            return {"pk": self.job.pk}
        if name == "scorecard:evidence":
            return {"code": "laporan"}
        if name == "scorecard:agency":
            return {"code": record["dataset"].owner.code}
        if name == "proposals:file":
            return {"pk": record["proposal"].steps.get().files.get().pk}
        if app == "sharing":
            return {"pk": record["asked_by" if page in ("withdraw", "take") else "asked_of"].pk}
        if app == "meetings":
            parts = {
                "reply": "invitation", "mandate_letter": "invitation", "sign_mandate": "invitation",
                "edit_item": "item", "move_item": "item", "drop_item": "item", "decide": "item",
                "remove_attendance": "attendance", "decision": "decision", "rule": "decision",
                "ratify": "consent", "action": "action", "update_action": "action",
            }  # fmt: skip
            return {"pk": record[parts.get(page, "meeting")].pk}
        if name == "allocation:explain":
            return {"pk": record["scenario"].pk, "household": record["home"].pk}
        if name == "allocation:adopt":
            return {"pk": record["scenario"].offers.get(sub_activity=record["sub_activity"]).pk}
        if app == "allocation" or name == "api:allocation_scenario":
            return {"pk": record["scenario"].pk}
        if name in ("overlaps:budget_area", "api:overlap_coverage"):
            return {"code": record["area"].rpartition(".")[0]}
        if app == "overlaps":
            return {"pk": self.case.pk}
        if page in ("merge_households", "merge_people"):
            kind = "home" if page == "merge_households" else "person"
            return {"first": record[kind].pk, "second": record[f"second_{kind}"].pk}
        if name == "reconciliation:rule":
            return {"attribute": "floor"}
        if name == "reconciliation:corrections":
            return {"code": record["dataset"].code}
        if name == "reconciliation:verify":
            return {"pk": record["difference"].pk}
        if app == "reconciliation":
            return {"pk": record["merge"].pk}
        if name in ("reports:sub_activity", "reports:schedule", "reports:plan"):
            return {"pk": record["report"].sub_activity_id}
        if name in ("reports:attachment", "reports:detach"):
            return {"pk": record["report"].attachments.get().pk}
        if name in ("reports:upload", "reports:apply"):
            return {"pk": record["workbook"].pk}
        if name == "api:one_report":
            return {"pk": record["report"].pk}
        if name in ("api:lateness", "api:deviations"):
            return {"year": 2026}
        if app == "linking":
            return {"pk": record["pair" if page in ("decide", "undo") else "linked"].pk}
        if page in ("link_run", "link_rows"):
            return {"run_id": record["linked"].pk}
        if app == "beneficiaries":
            if page.startswith("batch"):
                return {"pk": record["batch"].pk}
            if page in ("correct_delivery", "void_delivery", "proof"):
                return {"pk": record["delivery"].pk}
            one = ("enrolment", "move", "correct", "record_delivery", "verify", "undo")
            return {"pk": record["enrolment" if page in one else "sub_activity"].pk}
        if page in ("recipient_totals", "recipients"):
            return {"pk": record["sub_activity"].pk}
        subject = {
            "accounts": "account",
            "audit": "event",
            "imports": "run",
            "obstacles": "obstacle",
            "programs": "program",
            "proposals": "proposal",
            "registry": "home",
            "targets": "estimate",
            "reports": "report",
            "targeting": "rule",
        }
        return {"pk": record[subject[app]].pk}


@pytest.fixture
def world(make_user: Any, make_agency: Any, make_dataset: Any) -> World:
    return World(make_user, make_agency, make_dataset)


def refused(response: Any) -> bool:
    """Tell whether an answer keeps someone out."""
    if response.status_code in (401, 403, 404):
        return True
    return response.status_code == 302 and response["Location"].startswith(
        (reverse("account_login"), reverse("accounts:second_factor"))
    )


def ask(client: Client, method: str, path: str) -> Any:
    """Make a request and undo whatever it wrote."""
    with transaction.atomic():
        response = getattr(client, method)(path)
        # Read to its end, after which the client closes it; closing it here would drop PostgreSQL's
        # connection, for Django then sees one that was left inside a transaction.
        if response.streaming:
            for _part in response.streaming_content:
                pass
        transaction.set_rollback(True)
    return response


def outcome(client: Client, path: str) -> str:
    """Say what becomes of asking for ``path``, by GET where it takes that and else by POST."""
    response = ask(client, "get", path)
    if response.status_code == 405:
        response = ask(client, "post", path)
    elif refused(response):
        posted = ask(client, "post", path)
        if not refused(posted) and posted.status_code != 405:
            return "refuses by GET but opens by POST"
    if response.status_code >= 500:
        return "breaks"
    return "refuses" if refused(response) else "opens"


# Long tests come in parts, so that several processes share them.
PARTS = 2


def names_of(part: int) -> list[str]:
    """Return every ``PARTS``th URL from ``part`` on, in the order in which they are to be asked for."""
    return sorted(EXPECTED, key=lambda name: (name in LAST, name))[part::PARTS]


@pytest.mark.parametrize("part", range(PARTS))
def test_every_url_by_every_role_about_own_and_other_records(world, part):
    arguments = {url.name: url.arguments for url in urls()}
    wrong = []
    for name in names_of(part):
        for role, reach in EXPECTED[name].items():
            sides = ("own", "other") if arguments[name] else ("own",)
            for side in sides:
                path = reverse(name, kwargs=world.kwargs(name, side) if arguments[name] else None)
                allowed = reach == ALL or (reach == OWN and side == "own")
                found = outcome(world.clients[role], path)
                if found != ("opens" if allowed else "refuses"):
                    wrong.append(f"{name} ({side} record), {role}: {found}")
    assert not wrong, "\n".join(wrong)


def test_a_role_that_reaches_its_own_says_so_for_records_only():
    arguments = {url.name: url.arguments for url in urls()}
    for name, roles in EXPECTED.items():
        assert set(roles) == {*Role, THE_PUBLIC}
        assert set(roles.values()) <= {ALL, OWN, NONE}
        if OWN in roles.values():
            assert arguments[name], f"{name} has no record"


@pytest.mark.django_db
def test_libraries_let_the_public_in_only_where_we_say():
    for name, door in THIRD_PARTY.items():
        path = f"/{name}" if "/" in name else reverse(name, kwargs=THIRD_PARTY_KWARGS.get(name))
        response = Client().get(path)
        led_away = response.status_code == 302 and response["Location"].startswith(
            reverse("account_login")
        )
        if door == SIGN_IN:
            assert led_away, f"{name} answers the public with {response.status_code}"
        else:
            assert response.status_code < 500, (name, response.status_code)
