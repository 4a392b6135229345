"""The URL map: one include per app, each under the Indonesian word its users would say."""

from __future__ import annotations

from django.urls import include, path

from guyub.api import api
from guyub.connections import exchange_views

urlpatterns = [
    path("", include("guyub.home.urls")),
    path("", include("guyub.portal.urls")),
    path("akun/", include("guyub.accounts.urls")),
    path("masuk/", include("allauth.urls")),
    path("bahasa/", include("guyub.ui.urls")),
    path("perangkat-daerah/", include("guyub.agencies.urls")),
    path("wilayah/", include("guyub.areas.urls")),
    path("registri/", include("guyub.registry.urls")),
    path("dokumen/", include("guyub.documents.urls")),
    path("dataset/", include("guyub.datasets.urls")),
    path("impor/", include("guyub.imports.urls")),
    path("rekonsiliasi/", include("guyub.reconciliation.urls")),
    path("pencocokan/", include("guyub.linking.urls")),
    path("kendala/", include("guyub.obstacles.urls")),
    path("pembicaraan/", include("guyub.discussions.urls")),
    path("program/", include("guyub.programs.urls")),
    path("", include("guyub.targets.urls")),
    path("permintaan-data/", include("guyub.sharing.urls")),
    path("kartu-nilai/", include("guyub.scorecard.urls")),
    path("", include("guyub.proposals.urls")),
    path("", include("guyub.fieldwork.urls")),
    path("rapat/", include("guyub.meetings.urls")),
    path("tumpang-tindih/", include("guyub.overlaps.urls")),
    path("alokasi/", include("guyub.allocation.urls")),
    path("laporan/", include("guyub.reports.urls")),
    path("aturan-sasaran/", include("guyub.targeting.urls")),
    path("penerima/", include("guyub.beneficiaries.urls")),
    path("sambungan/", include("guyub.connections.urls")),
    path("privasi/", include("guyub.privacy.urls")),
    path("retensi/", include("guyub.retention.urls")),
    path("jejak-audit/", include("guyub.audit.urls")),
    path("", include("guyub.operations.urls")),
    path("api/v1/", api.urls),
    # The social registry standard of DCI; its paths are the standard's own.
    path(
        "api/spdci/v1.0.0/registry/sync/search",
        exchange_views.sync_search,
        name="spdci_sync_search",
    ),
    path("api/spdci/v1.0.0/registry/search", exchange_views.search, name="spdci_search"),
    path("api/spdci/v1.0.0/registry/subscribe", exchange_views.subscribe, name="spdci_subscribe"),
    path(
        "api/spdci/v1.0.0/registry/unsubscribe",
        exchange_views.unsubscribe,
        name="spdci_unsubscribe",
    ),
    path("api/spdci/v1.0.0/registry/txn/status", exchange_views.status, name="spdci_later_status"),
    path(
        "api/spdci/v1.0.0/registry/sync/txn/status", exchange_views.sync_status, name="spdci_status"
    ),
    path(".well-known/jwks.json", exchange_views.keys, name="exchange_keys"),
]

handler403 = "guyub.ui.views.forbidden"
handler404 = "guyub.ui.views.not_found"
handler500 = "guyub.ui.views.server_error"
