"""What every page's frame needs: the navigation for this user, and names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from guyub.access.permissions import can

HAS_ENGLISH = any((path / "en/LC_MESSAGES/django.mo").exists() for path in settings.LOCALE_PATHS)


@dataclass(frozen=True)
class NavItem:
    label: Any
    url_name: str
    permission: str
    icon: str  # name of a symbol in ui/icons.svg


# The menu in its sections; the first has no heading.
NAVIGATION: tuple[tuple[Any, tuple[NavItem, ...]], ...] = (
    (
        "",
        (
            NavItem(_("Beranda"), "home", "home.view", "home"),
            NavItem(_("Pembicaraan"), "discussions:list", "discussions.view", "talk"),
        ),
    ),
    (
        _("Data"),
        (
            NavItem(_("Registri warga miskin"), "registry:search", "registry.view", "people"),
            NavItem(pgettext_lazy("daftar", "Dataset"), "datasets:list", "datasets.view", "layers"),
            NavItem(pgettext_lazy("daftar", "Impor"), "imports:list", "imports.view", "upload"),
            NavItem(_("Pencocokan"), "linking:list", "linking.view", "link"),
            NavItem(_("Rekonsiliasi"), "reconciliation:queue", "reconciliation.view", "overlap"),
        ),
    ),
    (
        _("Penanganan"),
        (
            NavItem(pgettext_lazy("daftar", "Program"), "programs:list", "programs.view", "flag"),
            NavItem(_("Aturan sasaran"), "targeting:list", "targeting.view", "target"),
            NavItem(
                pgettext_lazy("daftar", "Penerima"),
                "beneficiaries:overview",
                "beneficiaries.view_totals",
                "person",
            ),
            NavItem(_("Kunjungan saya"), "fieldwork:app", "fieldwork.visit", "map"),
            NavItem(
                _("Kunjungan lapangan"), "fieldwork:rounds", "fieldwork.view_rounds", "calendar"
            ),
            NavItem(_("Laporan kemajuan"), "reports:list", "reports.view", "report"),
            NavItem(
                pgettext_lazy("daftar", "Kendala"), "obstacles:list", "obstacles.view", "alert"
            ),
            NavItem(_("Tumpang tindih"), "overlaps:list", "overlaps.view", "overlap"),
            NavItem(_("Alokasi bantuan"), "allocation:list", "allocation.view", "balance"),
        ),
    ),
    (
        _("Capaian"),
        (
            NavItem(pgettext_lazy("daftar", "Indikator"), "targets:list", "targets.view", "chart"),
            NavItem(_("Angka kemiskinan"), "targets:published", "targets.view", "trend"),
            NavItem(_("Ukuran kemiskinan"), "targets:estimates", "targets.view", "ruler"),
            NavItem(_("LP2KD & laporan"), "documents:list", "documents.view", "report"),
        ),
    ),
    (
        _("Koordinasi"),
        (
            NavItem(pgettext_lazy("daftar", "Rapat"), "meetings:list", "meetings.view", "calendar"),
            NavItem(_("Kartu nilai"), "scorecard:overview", "scorecard.view", "gauge"),
            NavItem(_("Permintaan data"), "sharing:list", "sharing.view", "download"),
            NavItem(_("Usul-sanggah"), "proposals:list", "proposals.view", "edit"),
        ),
    ),
    (
        _("Rujukan"),
        (
            NavItem(
                pgettext_lazy("daftar", "Perangkat daerah"),
                "agencies:list",
                "agencies.view",
                "building",
            ),
            NavItem(pgettext_lazy("daftar", "Wilayah"), "areas:list", "areas.view", "map"),
        ),
    ),
    (
        _("Pengelolaan"),
        (
            NavItem(_("Publikasi data"), "portal:list", "portal.manage", "download"),
            NavItem(_("Akun pengguna"), "accounts:list", "accounts.manage", "key"),
            NavItem(_("Sambungan sistem"), "connections:tokens", "connections.manage", "link"),
            NavItem(_("Permintaan pemilik data"), "privacy:requests", "privacy.handle", "shield"),
            NavItem(_("Catatan pemrosesan data"), "privacy:register", "privacy.view", "report"),
            NavItem(_("Retensi dan pemusnahan"), "retention:list", "retention.view", "clock"),
            NavItem(_("Jejak audit"), "audit:list", "audit.view", "shield"),
            NavItem(_("Kesehatan sistem"), "operations:overview", "operations.view", "gauge"),
        ),
    ),
)


def layout(request: HttpRequest) -> dict[str, Any]:
    """Give templates the regency's name, the mode and the navigation that this user may use."""
    user = getattr(request, "user", None)
    sections = []
    # One's own account is reached by the name in the top bar, not by the list of all accounts.
    mine = {reverse("accounts:me"), reverse("accounts:edit_me"), reverse("accounts:second_factor")}
    if user is not None and user.is_authenticated:
        for heading, items in NAVIGATION:
            shown = []
            for item in items:
                if can(user, item.permission):
                    url = reverse(item.url_name)
                    here = request.path == url or (
                        url != "/" and request.path.startswith(url) and request.path not in mine
                    )
                    shown.append({"label": item.label, "url": url, "icon": item.icon, "here": here})
            if shown:
                sections.append({"heading": heading, "items": shown})
    return {
        "regency_name": settings.REGENCY_NAME,
        "is_demo": settings.MODE == "demo",
        "navigation": sections,
        # The switch to English shows once there is English to switch to.
        "has_english": HAS_ENGLISH,
    }
