"""The HTTP API: collects each app's router. Reads only, for signed-in users, for now."""

from __future__ import annotations

from ninja import NinjaAPI
from ninja.security import django_auth

from guyub.agencies.api import router as agencies
from guyub.areas.api import router as areas
from guyub.beneficiaries.api import router as beneficiaries
from guyub.datasets.api import router as datasets
from guyub.obstacles.api import router as obstacles
from guyub.overlaps.api import router as overlaps
from guyub.programs.api import router as programs
from guyub.registry.api import router as registry
from guyub.reports.api import router as reports
from guyub.targeting.api import router as targeting
from guyub.targets.api import router as targets

api = NinjaAPI(title="Guyub", version="1", auth=django_auth, urls_namespace="api", docs_url=None)
api.add_router("/agencies", agencies)
api.add_router("/areas", areas)
api.add_router("/beneficiaries", beneficiaries)
api.add_router("/datasets", datasets)
api.add_router("/overlaps", overlaps)
api.add_router("/programs", programs)
api.add_router("/obstacles", obstacles)
api.add_router("/registry", registry)
api.add_router("/targets", targets)
api.add_router("/reports", reports)
api.add_router("/targeting", targeting)
