"""What each role's first page says: the numbers, and what waits for this person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from guyub.access.roles import Role
from guyub.agencies.models import Agency
from guyub.areas.models import Area, Level
from guyub.datasets.models import Version
from guyub.home import queries, work
from guyub.home.tiles import Task, Tile, grouped
from guyub.registry import tallies as tallies_of
from guyub.registry.measures import DESILS, Choice, Tally, total
from guyub.registry.tilemap import build_map
from guyub.ui.charts import Chart, bars, trend
from guyub.ui.paging import page_of

DATASETS_SHOWN = 8
BARS_SHOWN = 20


def area_url(area: Area) -> str:
    """Return the page of the numbers of ``area``."""
    return reverse("home:area", args=[area.code])


def map_context(request: HttpRequest) -> dict[str, Any]:
    """Return the numbers of the regency and the map of its districts, as the reader chose it."""
    districts, tallies = tallies_of.districts(), tallies_of.tallies_by_district()
    choice = Choice.from_query(request.GET)
    return {
        "regency": total(tallies),
        "map": build_map(districts, tallies, choice, area_url),
        "reference": queries.reference_version(),
    }


def number_tiles(tally: Tally, url: str = "") -> list[Tile]:
    """Return the numbers that every page about an area begins with."""
    registered = _("dari %(count)s yang terdaftar")
    return [
        Tile(
            tally.poor_households,
            _("Keluarga desil 1–2"),
            registered % {"count": grouped(tally.all_households)},
            url,
        ),
        Tile(
            tally.poor_people,
            _("Jiwa desil 1–2"),
            registered % {"count": grouped(tally.all_people)},
            url,
        ),
        Tile(tally.extreme_households, _("Keluarga miskin ekstrem"), "", url),
    ]


def trend_chart(reference: Version | None) -> Chart | None:
    """Return the trend of the reference dataset; ``None`` before it has two versions to compare."""
    if reference is None:
        return None
    points = queries.trend_of(reference.dataset)
    if len(points) < 2:
        return None
    return trend(
        "tren",
        _("Perkembangan jumlah keluarga"),
        [_("Desil 1"), _("Desil 1–2"), _("Desil 1–4")],
        [(day, [sum(tally.households[1:top]) for top in (2, 3, 5)]) for day, tally in points],
        date=_("Per tanggal"),
        value=_("Keluarga"),
        caption=_("Sumber: %(dataset)s (%(owner)s), %(count)s versi terakhir.")
        % {
            "dataset": reference.dataset.name,
            "owner": reference.dataset.owner,
            "count": len(points),
        },
    )


def desil_chart(tally: Tally) -> Chart:
    """Return how many households are in each desil; the unknown come last."""
    rows = [
        (_("Desil %(number)s") % {"number": desil}, tally.households[desil])
        for desil in range(1, DESILS)
        if tally.households[desil] or desil <= 4
    ]
    if tally.households[0]:
        rows.append((_("Belum diketahui"), tally.households[0]))
    return bars(
        "desil",
        _("Keluarga menurut desil"),
        rows,
        label=_("Desil"),
        value=_("Keluarga"),
        caption=_("Desil 1 adalah sepersepuluh penduduk yang paling miskin."),
    )


def children_chart(
    areas: Sequence[Area], tallies: dict[int, Tally], choice: Choice, title: str
) -> Chart:
    """Compare the areas below one area, most first, up to twenty of them."""
    rows = sorted(
        ((area.name, choice.count(tallies.get(area.pk, Tally()))) for area in areas),
        key=lambda row: (-row[1], row[0]),
    )
    left_out = len(rows) - BARS_SHOWN
    return bars(
        "wilayah",
        title,
        rows[:BARS_SHOWN],
        label=_("Wilayah"),
        value=choice.label,
        caption=_("%(count)s wilayah dengan jumlah terkecil tidak digambar.") % {"count": left_out}
        if left_out > 0
        else "",
    )


def run_tasks(user: Any) -> list[Task]:
    """Return the import runs that wait, as tasks."""
    runs, count = queries.runs_waiting(user)
    tones = {"mapping": "info", "checked": "warn", "failed": "bad"}
    tasks = [
        Task(
            text=run.file_name,
            note=_("%(state)s · %(dataset)s, %(owner)s")
            % {
                "state": run.state_label,
                "dataset": run.dataset.name,
                "owner": run.dataset.owner,
            },
            url=reverse("imports:run", args=[run.pk]),
            icon="alert" if run.state == "failed" else "upload",
            tone=tones[run.state],
        )
        for run in runs
    ]
    if count > len(runs):
        tasks.append(
            Task(
                _("%(count)s impor lain menunggu") % {"count": grouped(count - len(runs))},
                "",
                reverse("imports:list"),
                "upload",
            )
        )
    return tasks


def freshness_tasks(counts: dict[str, int], own: Agency | None = None) -> list[Task]:
    """Return a task for the datasets (of ``own``) that are stale, due or empty."""
    found = []
    note = _("Unggah daftar terbaru.") if own else _("Ingatkan perangkat daerah pemiliknya.")
    words = (
        ("stale", _("%(count)s dataset sudah usang"), "bad"),
        ("due", _("%(count)s dataset jatuh tempo"), "warn"),
        ("empty", _("%(count)s dataset belum berisi data"), "info"),
    )
    for key, text, tone in words:
        if counts[key]:
            url = reverse("datasets:list") + f"?kesegaran={key}"
            if own is not None:
                url += f"&pemilik={own.code}"
            found.append(Task(text % {"count": counts[key]}, note, url, "layers", tone))
    return found


def freshness_tile(counts: dict[str, int]) -> Tile:
    """Return how many datasets are current."""
    late = counts["due"] + counts["stale"]
    whole = sum(counts.values())
    note = (
        _("%(due)s jatuh tempo, %(stale)s usang") % counts
        if late
        else _("tidak ada yang terlambat")
        if whole
        else ""
    )
    return Tile(
        _("%(current)s dari %(total)s") % {"current": counts["current"], "total": whole},
        _("Dataset mutakhir"),
        note,
        reverse("datasets:list"),
        "bad" if counts["stale"] else "warn" if counts["due"] else "good" if whole else "",
    )


def _present(tile: Tile | None) -> list[Tile]:
    return [tile] if tile is not None else []


def secretariat(request: HttpRequest) -> dict[str, Any]:
    context = map_context(request)
    datasets = queries.datasets_by_urgency()
    counts = queries.freshness_counts(datasets)
    accounts = queries.account_counts()
    year = timezone.localdate().year
    punctual = work.punctuality(year)
    tasks = work.tasks(request.user) + run_tasks(request.user) + freshness_tasks(counts)
    if accounts.without_second_factor:
        tasks.append(
            Task(
                _("%(count)s akun belum memakai verifikasi dua langkah")
                % {"count": accounts.without_second_factor},
                _("Perannya mewajibkan; akun belum dapat membuka data pribadi."),
                reverse("accounts:list"),
                "key",
            )
        )
    accounts_tile = Tile(accounts.active, _("Akun aktif"), "", reverse("accounts:list"))
    return {
        **context,
        "tiles": [
            *number_tiles(context["regency"]),
            *_present(work.poverty_tile()),
            *work.tiles(year, punctual),
            freshness_tile(counts),
            accounts_tile,
        ],
        "tasks": tasks,
        "work": work.work(year, punctual),
        "datasets": datasets[:DATASETS_SHOWN],
        "datasets_total": len(datasets),
        "trend": trend_chart(context["reference"]),
    }


def agency(request: HttpRequest) -> dict[str, Any]:
    own = request.user.agency  # type: ignore[union-attr]
    if own is None:
        raise PermissionDenied
    context = map_context(request)
    datasets = queries.datasets_by_urgency(own)
    counts = queries.freshness_counts(datasets)
    completeness = queries.completeness_of(own)
    year = timezone.localdate().year
    punctual = work.punctuality(year, own)
    tasks = work.tasks(request.user) + run_tasks(request.user) + freshness_tasks(counts, own)
    directory = reverse("agencies:detail", args=[own.code])
    if completeness.missing:
        tasks.append(
            Task(
                _("Profil perangkat daerah %(percent)s%% lengkap")
                % {"percent": completeness.percent},
                _("Belum diisi: %(fields)s.")
                % {"fields": ", ".join(str(name) for name in completeness.missing)},
                directory,
                "building",
                "info",
            )
        )
    return {
        **context,
        "agency": own,
        "work": work.work(year, punctual, own),
        "tiles": [
            *work.tiles(year, punctual, own),
            freshness_tile(counts),
            *number_tiles(context["regency"]),
            Tile(
                f"{completeness.percent}%",
                _("Profil lengkap"),
                "",
                directory,
                "" if completeness.missing else "good",
            ),
        ],
        "tasks": tasks,
        "datasets": datasets[:DATASETS_SHOWN],
        "datasets_total": len(datasets),
        "versions": queries.latest_versions(own),
    }


def area_operator(request: HttpRequest) -> dict[str, Any]:
    area = request.user.area  # type: ignore[union-attr]
    if area is None:
        raise PermissionDenied
    context: dict[str, Any] = {"area": area, "reference": queries.reference_version()}
    context.update(area_numbers(request, area))
    context["changes"] = queries.recent_changes(area)
    context["tasks"] = work.tasks(request.user)
    return context


def area_numbers(request: HttpRequest, area: Area) -> dict[str, Any]:
    """Return the numbers of ``area`` and of those below it, as tiles, a page of rows and charts."""
    choice = Choice.from_query(request.GET)
    if area.level == Level.VILLAGE:
        tally = tallies_of.tally_of_village(area)
        return {
            "choice": choice,
            "tally": tally,
            "tiles": number_tiles(tally),
            "desil_chart": desil_chart(tally) if tally.all_households else None,
        }
    if area.level == Level.DISTRICT:
        children = list(area.children.all())
        tallies = tallies_of.tallies_by_village(area)
        title = _("Desa dan kelurahan")
    else:
        children, tallies = tallies_of.districts(), tallies_of.tallies_by_district()
        title = _("Kecamatan")
    tally = total(tallies)
    rows = [(child, tallies.get(child.pk, Tally())) for child in children]
    filled = tally.all_households > 0
    return {
        "choice": choice,
        "tally": tally,
        "tiles": number_tiles(tally),
        "children_title": title,
        "page": page_of(request, rows),
        "children_chart": children_chart(children, tallies, choice, choice.label)
        if filled
        else None,
        "desil_chart": desil_chart(tally) if filled else None,
    }


def regent(request: HttpRequest) -> dict[str, Any]:
    context = map_context(request)
    datasets = queries.datasets_by_urgency()
    year = timezone.localdate().year
    punctual = work.punctuality(year)
    return {
        **context,
        "tasks": work.tasks(request.user),
        "work": work.work(year, punctual),
        "tiles": [
            *number_tiles(context["regency"]),
            *_present(work.poverty_tile()),
            *work.tiles(year, punctual),
            freshness_tile(queries.freshness_counts(datasets)),
        ],
        "trend": trend_chart(context["reference"]),
        "agencies": queries.freshness_by_agency(datasets),
    }


def chain_tile(chain: queries.ChainState, url: str) -> Tile:
    """Return what the latest check of the audit log found."""
    label = _("Rantai jejak audit")
    if chain.check is None:
        return Tile(_("Belum diperiksa"), label, "", url, "warn")
    when = _("diperiksa %(date)s") % {
        "date": date_format(timezone.localtime(chain.check.at), "j M Y H.i")
    }
    if chain.is_sound:
        return Tile(_("Utuh"), label, when, url, "good")
    return Tile(_("Rusak"), label, when, url, "bad")


def auditor(request: HttpRequest) -> dict[str, Any]:
    watch = queries.watchfulness(timezone.now())
    sums = {
        kind: [
            sum(getattr(act, span) for act in watch.acts if act.kind == kind)
            for span in ("today", "week")
        ]
        for kind in queries.SENSITIVE
    }
    log = reverse("audit:list")
    week = _("%(count)s dalam tujuh hari")
    chain = queries.chain_state()
    return {
        "tiles": [
            chain_tile(chain, log),
            Tile(
                watch.failed_today,
                _("Gagal masuk hari ini"),
                week % {"count": grouped(watch.failed_week)},
                log + "?kelompok=accounts.",
                "warn" if watch.failed_today else "good",
            ),
            Tile(
                sums["reveal"][0],
                _("Buka NIK/KK hari ini"),
                week % {"count": grouped(sums["reveal"][1])},
                log + "?kelompok=registry.household.reveal",
            ),
            Tile(
                sums["export"][0],
                _("Ekspor hari ini"),
                week % {"count": grouped(sums["export"][1])},
                log,
            ),
        ],
        "chain": chain,
        "acts": watch.acts,
        "events": queries.latest_events(),
    }


DASHBOARDS: dict[Role, tuple[str, Callable[[HttpRequest], dict[str, Any]]]] = {
    Role.SECRETARIAT: ("home/secretariat.html", secretariat),
    Role.AGENCY_HEAD: ("home/agency.html", agency),
    Role.AGENCY_OPERATOR: ("home/agency.html", agency),
    Role.AREA_OPERATOR: ("home/area_operator.html", area_operator),
    Role.REGENT: ("home/regent.html", regent),
    Role.AUDITOR: ("home/auditor.html", auditor),
}
