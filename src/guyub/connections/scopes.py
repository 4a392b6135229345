"""What a token may do: scopes, each a handful of permissions of the one permission module."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Scope:
    """One scope: its name in the interface, and the permissions that it stands for."""

    label: Any
    permissions: tuple[str, ...]


IDENTIFIERS = "registry:identifiers"

SCOPES: dict[str, Scope] = {
    "agencies:read": Scope(_("Baca perangkat daerah dan wilayah"), ("agencies.view", "areas.view")),
    "datasets:read": Scope(_("Baca daftar dataset"), ("datasets.view",)),
    "linking:read": Scope(_("Baca hasil pencocokan data"), ("linking.view",)),
    "registry:read": Scope(
        _("Baca registri, NIK dan KK tersamar"), ("registry.view", "registry.view_aggregates")
    ),
    IDENTIFIERS: Scope(
        _("Lihat NIK dan KK lengkap, tiap kali dengan tujuan yang dicatat"), ("registry.reveal",)
    ),
    "programs:read": Scope(_("Baca program"), ("programs.view",)),
    "targeting:read": Scope(_("Baca aturan sasaran"), ("targeting.view",)),
    "targeting:write": Scope(
        _("Hitung keluarga sebuah aturan"), ("targeting.view", "targeting.edit")
    ),
    "beneficiaries:read": Scope(
        _("Baca penerima"), ("beneficiaries.view_totals", "beneficiaries.view")
    ),
    "beneficiaries:write": Scope(
        _("Daftarkan penerima"),
        ("beneficiaries.view_totals", "beneficiaries.view", "beneficiaries.edit"),
    ),
    "overlaps:read": Scope(_("Baca tumpang tindih"), ("overlaps.view",)),
    "allocation:read": Scope(_("Baca skenario alokasi"), ("allocation.view",)),
    "reports:read": Scope(_("Baca laporan kemajuan"), ("reports.view",)),
    "reports:write": Scope(
        _("Isi dan ajukan laporan kemajuan"), ("reports.view", "reports.edit", "reports.submit")
    ),
    "obstacles:read": Scope(_("Baca kendala"), ("obstacles.view",)),
    "obstacles:write": Scope(
        _("Laporkan dan tangani kendala"), ("obstacles.view", "obstacles.report")
    ),
    "fieldwork:read": Scope(
        _("Baca putaran, kunjungan, dan kiriman lapangan; NIK dan KK tersamar"),
        ("fieldwork.view_forms", "fieldwork.view_rounds", "fieldwork.view"),
    ),
    "fieldwork:write": Scope(
        _("Kirim hasil survei lapangan (KoboToolbox, ODK)"),
        ("fieldwork.view_forms", "fieldwork.load"),
    ),
    "targets:read": Scope(_("Baca indikator dan angka kemiskinan"), ("targets.view",)),
    "sharing:read": Scope(_("Baca permintaan data"), ("sharing.view",)),
    "proposals:read": Scope(_("Baca usul-sanggah"), ("proposals.view",)),
    "proposals:write": Scope(
        _("Ajukan usulan dan sanggahan"), ("proposals.view", "proposals.submit")
    ),
    "documents:read": Scope(
        _("Baca LP2KD dan jalankan laporan tersusun"), ("documents.view", "documents.build")
    ),
    "reconciliation:read": Scope(_("Baca perbedaan antarsumber"), ("reconciliation.view",)),
    "reconciliation:write": Scope(
        _("Gabungkan data ganda"), ("reconciliation.view", "reconciliation.merge")
    ),
    "meetings:read": Scope(_("Baca rapat, keputusan, dan tindak lanjut"), ("meetings.view",)),
}

# Scopes that only those who may admit outside systems give away.
GUARDED = frozenset({IDENTIFIERS})


def permissions_of(scopes: Iterable[str]) -> frozenset[str]:
    """Return the permissions that ``scopes`` stand for together; unknown scopes stand for none."""
    return frozenset(
        permission for name in scopes if name in SCOPES for permission in SCOPES[name].permissions
    )


def scopes_for(permission: str) -> list[str]:
    """Return the scopes that include ``permission``, the narrowest first."""
    found = [name for name, scope in SCOPES.items() if permission in scope.permissions]
    return sorted(found, key=lambda name: len(SCOPES[name].permissions))
