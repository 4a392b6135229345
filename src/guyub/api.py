"""The HTTP API: collects each app's router. What it is like as a whole: guyub.connections.openapi."""

from __future__ import annotations

from guyub.agencies.api import router as agencies
from guyub.allocation.api import router as allocation
from guyub.areas.api import router as areas
from guyub.beneficiaries.api import router as beneficiaries
from guyub.connections.openapi import make_api
from guyub.datasets.api import router as datasets
from guyub.documents.api import router as documents
from guyub.fieldwork.api import router as fieldwork
from guyub.fieldwork.reading_api import router as fieldwork_reading
from guyub.linking.api import router as linking
from guyub.meetings.api import router as meetings
from guyub.obstacles.api import router as obstacles
from guyub.overlaps.api import router as overlaps
from guyub.portal.api import router as portal
from guyub.programs.api import router as programs
from guyub.proposals.api import router as proposals
from guyub.reconciliation.api import router as reconciliation
from guyub.registry.api import router as registry
from guyub.reports.api import router as reports
from guyub.sharing.api import router as sharing
from guyub.targeting.api import router as targeting
from guyub.targets.api import router as targets

api = make_api()
api.add_router("/agencies", agencies)
api.add_router("/allocation", allocation)
api.add_router("/areas", areas)
api.add_router("/beneficiaries", beneficiaries)
api.add_router("/datasets", datasets)
api.add_router("/documents", documents)
api.add_router("/linking", linking)
api.add_router("/overlaps", overlaps)
api.add_router("/programs", programs)
api.add_router("/obstacles", obstacles)
api.add_router("/reconciliation", reconciliation)
api.add_router("/registry", registry)
api.add_router("/targets", targets)
api.add_router("/reports", reports)
api.add_router("/targeting", targeting)
api.add_router("/fieldwork", fieldwork)
api.add_router("/fieldwork", fieldwork_reading)
api.add_router("/meetings", meetings)
api.add_router("/sharing", sharing)
api.add_router("/proposals", proposals)
api.add_router("/public", portal)
