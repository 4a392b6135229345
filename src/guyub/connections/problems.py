"""Errors of the HTTP API as *problem details* (RFC 9457): one shape, in plain Indonesian."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

MEDIA_TYPE = "application/problem+json"

TITLES: dict[int, Any] = {
    400: gettext_lazy("Permintaan tidak dapat dibaca"),
    401: gettext_lazy("Belum dikenali"),
    403: gettext_lazy("Tidak diizinkan"),
    404: gettext_lazy("Tidak ditemukan"),
    405: gettext_lazy("Cara ini tidak tersedia di alamat itu"),
    409: gettext_lazy("Bentrok dengan keadaan terkini"),
    413: gettext_lazy("Kiriman terlalu besar"),
    422: gettext_lazy("Isian keliru"),
    429: gettext_lazy("Terlalu sering"),
    500: gettext_lazy("Kesalahan di pihak Guyub"),
}
DETAILS: dict[int, Any] = {
    400: gettext_lazy("Periksa bentuk permintaannya; isi harus JSON yang sah."),
    401: gettext_lazy("Kirim token di kepala `Authorization: Bearer …`, atau masuk dahulu."),
    403: gettext_lazy("Akun atau token Anda tidak diberi akses ke data ini."),
    404: gettext_lazy("Tidak ada yang beralamat demikian."),
    405: gettext_lazy("Lihat kepala `Allow` untuk cara yang tersedia."),
    413: gettext_lazy("Kirim dalam beberapa bagian."),
    500: gettext_lazy("Coba lagi nanti; bila tetap gagal, hubungi sekretariat."),
}
# What a value lacks, by the kind of fault that pydantic names.
FAULTS: dict[str, Any] = {
    "missing": gettext_lazy("Wajib diisi."),
    "extra_forbidden": gettext_lazy("Isian ini tidak dikenal."),
    "int_parsing": gettext_lazy("Harus bilangan bulat."),
    "int_type": gettext_lazy("Harus bilangan bulat."),
    "int_from_float": gettext_lazy("Harus bilangan bulat."),
    "int_parsing_size": gettext_lazy("Bilangan ini terlalu besar."),
    "bool_parsing": gettext_lazy("Harus true atau false."),
    "decimal_parsing": gettext_lazy("Harus angka."),
    "string_type": gettext_lazy("Harus teks."),
    "list_type": gettext_lazy("Harus daftar."),
    "json_invalid": gettext_lazy("Bukan JSON yang sah."),
}


def problem(status: int, detail: Any = "", **more: Any) -> HttpResponse:
    """Return the answer for an error; ``more`` are further members, such as ``errors``."""
    content = {
        "type": "about:blank",
        "title": str(TITLES.get(status) or HTTPStatus(status).phrase),
        "status": status,
        "detail": str(detail or DETAILS.get(status, "")),
        **more,
    }
    response = HttpResponse(
        json.dumps(content, ensure_ascii=False), status=status, content_type=MEDIA_TYPE
    )
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="Guyub"'
    return response


def field_errors(errors: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Turn what Ninja found wrong into ``field`` and ``message``, never echoing a value."""
    found = []
    for error in errors:
        place = [str(part) for part in error.get("loc", ())]
        # The first part names where: query, path, body; the second the argument that holds a body.
        field = ".".join(place[2:] if place[:1] == ["body"] and len(place) > 2 else place[1:])
        found.append({"field": field or ".".join(place), "message": _fault(error)})
    return found


def _fault(error: dict[str, Any]) -> str:
    kind, facts = str(error.get("type", "")), error.get("ctx") or {}
    if kind in FAULTS:
        return str(FAULTS[kind])
    if kind in ("greater_than_equal", "greater_than"):
        return _("Terlalu kecil; paling sedikit %(least)s.") % {
            "least": facts.get("ge", facts.get("gt"))
        }
    if kind in ("less_than_equal", "less_than"):
        return _("Terlalu besar; paling banyak %(most)s.") % {
            "most": facts.get("le", facts.get("lt"))
        }
    if kind in ("string_too_long", "too_long"):
        return _("Terlalu panjang; paling banyak %(most)s.") % {"most": facts.get("max_length")}
    if kind in ("string_too_short", "too_short"):
        return _("Terlalu pendek; paling sedikit %(least)s.") % {"least": facts.get("min_length")}
    if kind in ("literal_error", "enum"):
        return _("Pilih salah satu: %(choices)s.") % {"choices": facts.get("expected", "")}
    if kind.startswith(("date", "datetime")):
        return _("Harus tanggal, misalnya 2026-03-31.")
    return _("Nilai ini tidak dapat dipakai.")
