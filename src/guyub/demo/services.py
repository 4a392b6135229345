"""Building the demo: synthetic Banyumas through the same services that real data goes through."""

from __future__ import annotations

import datetime as dt
import enum
import shutil
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.access.roles import Role
from guyub.accounts.models import User
from guyub.accounts.services import make_demo_account
from guyub.agencies.models import Agency
from guyub.agencies.services import load_agencies
from guyub.areas.models import Area
from guyub.areas.services import load_regency
from guyub.audit import services as audit
from guyub.audit.models import Event
from guyub.audit.queries import anchors_path
from guyub.datasets.models import Cadence, Dataset
from guyub.datasets.services import create_dataset, mark_reference
from guyub.demo import lists
from guyub.demo.allocation import make_scenarios
from guyub.demo.beneficiaries import REGENCY, enrol_recipients, scale_down
from guyub.demo.connections import make_connections
from guyub.demo.coordination import keep_scores, make_meetings, make_requests
from guyub.demo.discussions import make_talk
from guyub.demo.documents import make_documents
from guyub.demo.field_samples import write_field_samples
from guyub.demo.fieldwork import make_field_work
from guyub.demo.files import write_sample_files
from guyub.demo.indicators import make_indicators, measure_survey
from guyub.demo.linking import link_village_list
from guyub.demo.obstacles import make_obstacles
from guyub.demo.overlaps import make_overlaps
from guyub.demo.population import write_population
from guyub.demo.privacy import make_privacy
from guyub.demo.proposals import make_proposals
from guyub.demo.publications import make_publications
from guyub.demo.reconciliation import make_reconciliation
from guyub.demo.reports import make_reports
from guyub.demo.retention import make_retention
from guyub.demo.rules import make_rules
from guyub.imports.services import load_flat
from guyub.programs.services import load_programs
from guyub.registry.models import Household, Person

# What stands beside the database in the data folder and goes with it.
FOLDERS = (
    "datasets", "imports", "batches", "linking", "media", "mail", "contoh", "surveys", "overlaps",
    "reconciliation", "allocations", "publications",
)  # fmt: skip
SCRATCH = "demo-"
# With fewer households even the regency's own counts are small, and are hidden.
WORTH_RELEASING = 200
START, FINISH = "demo.start", "demo.finish"

# Told how much of a step is done: (done, total).
Tell = Callable[[int, int], None]
# Opens a step of a given name.
Step = Callable[[str], AbstractContextManager[Tell]]


class DemoState(enum.Enum):
    """What the database holds."""

    EMPTY = "empty"
    UNFINISHED = "unfinished"
    COMPLETE = "complete"
    FOREIGN = "foreign"  # data that no demo made


def state() -> DemoState:
    """Tell what the migrated database holds."""
    if Event.objects.filter(action=FINISH).exists():
        return DemoState.COMPLETE
    if Event.objects.filter(action=START).exists():
        return DemoState.UNFINISHED
    if any(model.objects.exists() for model in (User, Dataset, Household)):
        return DemoState.FOREIGN
    return DemoState.EMPTY


def size() -> tuple[int, int]:
    """Return how many households and people the finished demo had at first."""
    event = Event.objects.get(action=FINISH)
    return event.detail["households"], event.detail["people"]


def samples_folder() -> Path:
    """Return where the sample files lie."""
    return Path(settings.DATA_DIR) / "contoh"


def wipe() -> None:
    """Remove the demo: every table and every file. Migrate again afterwards.

    Raises:
        ImproperlyConfigured: this is a production installation, or the data is no demo's.
    """
    refuse_production()
    if state() is DemoState.FOREIGN:
        raise ImproperlyConfigured("The database holds data that no demo made.")
    if connection.vendor == "sqlite":
        path = Path(connection.settings_dict["NAME"])
        connection.close()
        for ending in ("", "-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
    else:
        with connection.cursor() as cursor:
            cursor.execute("SELECT quote_ident(current_schema())")
            (schema,) = cursor.fetchone()
            cursor.execute(f"DROP SCHEMA {schema} CASCADE")
            cursor.execute(f"CREATE SCHEMA {schema}")
        connection.close()
    data = Path(settings.DATA_DIR)
    for folder in (*(data / name for name in FOLDERS), *data.glob(f"{SCRATCH}*")):
        shutil.rmtree(folder, ignore_errors=True)
    # Anchors of a log that is gone would read as tampering with the new one.
    anchors_path().unlink(missing_ok=True)


def refuse_production() -> None:
    """Raise :class:`ImproperlyConfigured` on a production installation."""
    if settings.MODE == "production":
        raise ImproperlyConfigured("The demo is never made in production.")


def build(households: int, seed: int, step: Step) -> None:
    """Fill an empty, migrated database.

    Raises:
        ImproperlyConfigured: this is a production installation, or the database is not empty.
    """
    refuse_production()
    if state() is not DemoState.EMPTY:
        raise ImproperlyConfigured("The database is not empty.")
    audit.record(START, detail={"households": households, "seed": seed})
    today = timezone.localdate()
    with step(_("Wilayah, perangkat daerah, dan program")):
        load_regency()
        load_agencies()
        load_programs(today.year)
    with step(_("Akun contoh")):
        actors = make_accounts()
    with step(_("Dataset")):
        datasets = make_datasets(actors["sekretariat"])
    with tempfile.TemporaryDirectory(dir=settings.DATA_DIR, prefix=SCRATCH) as scratch:
        population = Path(scratch) / "population.parquet"
        reference_dates = quarters_before(today)
        with step(_("Membuat penduduk rekaan")) as tell:
            done = 0

            def progress(further: int) -> None:
                nonlocal done
                done += further
                tell(done, households)

            write_population(population, households, seed, progress, as_of=reference_dates[0])
        for code, as_of, file_name, write in _lists(population, today, reference_dates, seed):
            _load(datasets[code], as_of, file_name, write, actors, Path(scratch), step)
        with step(_("Contoh berkas untuk dicoba diimpor")):
            newest = Path(scratch) / "newest.parquet"
            lists.write_reference(population, newest, reference_dates[0], 0, seed)
            write_sample_files(samples_folder(), newest, seed)
    with step(_("Formulir dan kiriman KoboToolbox untuk dicoba")):
        write_field_samples(samples_folder(), actors["sekretariat"], seed)
    with step(_("Membandingkan sumber dan menggabungkan data ganda")) as tell:
        make_reconciliation(actors, VILLAGE, tell)
    with step(_("Pencocokan daftar BLT desa")):
        link_village_list(actors, today.year, seed)
    with step(_("Aturan sasaran")):
        make_rules(actors["sekretariat"], today.year)
    with step(_("Penerima bantuan rekaan")) as tell:
        scale_down(households / REGENCY)
        enrol_recipients(today.year, seed, tell)
    with step(_("Indikator, angka terbitan, dan ukuran kemiskinan")):
        make_indicators(actors["sekretariat"], today)
        measure_survey(samples_folder(), actors["sekretariat"], today, seed)
    with step(_("Usul-sanggah dan pengaduan")):
        make_proposals(actors)
    with step(_("Kunjungan lapangan")):
        make_field_work(actors, seed)
    with step(_("Laporan kemajuan")):
        make_reports(actors, today, seed)
    with step(_("Kendala dan pembicaraan")):
        make_talk(actors, make_obstacles(actors, today, seed), today, seed)
    # After everything that says who is helped.
    with step(_("Tumpang tindih dan kesenjangan")):
        make_overlaps(actors, today.year)
    with step(_("Skenario alokasi bantuan")):
        make_scenarios(actors, today.year, households / REGENCY)
    with step(_("Rapat koordinasi, permintaan data, dan kartu nilai")):
        make_meetings(actors, today, seed)
        make_requests(actors, datasets, today)
        keep_scores(today)
    with step(_("Permintaan pemilik data")):
        make_privacy(actors)
        make_retention(actors, today)
    with step(_("Sambungan sistem lain")):
        make_connections(actors, today)
    with step(_("LP2KD dan laporan")):
        make_documents(actors, today)
    if households >= WORTH_RELEASING:
        with step(_("Publikasi data terbuka")):
            make_publications(actors["sekretariat"])
    audit.record(
        FINISH,
        detail={"households": Household.objects.count(), "people": Person.objects.count()},
    )


def quarters_before(today: dt.date) -> list[dt.date]:
    """Return the first days of the present quarter, of that half a year before, and a year before."""
    first = dt.date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
    half = first.month - 6
    earlier = first.replace(month=half) if half > 0 else dt.date(first.year - 1, half + 12, 1)
    return [first, earlier, first.replace(year=first.year - 1)]


Write = Callable[[Path], None]


def _lists(
    population: Path, today: dt.date, reference: list[dt.date], seed: int
) -> list[tuple[str, dt.date, str, Write]]:
    """Return the lists to load, oldest first: dataset code, date, file name and what writes it."""
    p3ke = dt.date(today.year - 2, 6, 30)
    insured = today - dt.timedelta(days=40)
    houses = today - dt.timedelta(days=30)
    stunted = today - dt.timedelta(days=20)
    found: list[tuple[str, dt.date, str, Write]] = [
        ("p3ke", p3ke, "P3KE Banyumas.parquet",
         lambda path: lists.write_p3ke(population, path, p3ke, seed)),
        *(
            ("dtsen", as_of, f"DTSEN Banyumas {as_of:%Y-%m}.parquet",
             lambda path, age=age, as_of=as_of:  # type: ignore[misc]
                 lists.write_reference(population, path, as_of, age, seed))
            for age, as_of in enumerate(reference)
        ),
        ("jkn-apbd", insured, "Peserta PBI APBD.parquet",
         lambda path: lists.write_insured_by_regency(population, path, seed)),
        ("rtlh", houses, "RTLH hasil survei.parquet",
         lambda path: lists.write_uninhabitable_houses(population, path, seed)),
        ("stunting", stunted, "Balita stunting.parquet",
         lambda path: lists.write_stunted_children(population, path, stunted, seed)),
    ]  # fmt: skip
    return sorted(found, key=lambda entry: entry[1])


def _load(
    dataset: Dataset,
    as_of: dt.date,
    file_name: str,
    write: Write,
    actors: dict[str, User],
    scratch: Path,
    step: Step,
) -> None:
    path = scratch / "list.parquet"
    by_owner = {
        user.agency_id: user for user in actors.values() if user.role == Role.AGENCY_OPERATOR
    }
    actor = by_owner.get(dataset.owner_id, actors["sekretariat"])
    label = _("Memuat %(name)s per %(date)s") % {
        "name": dataset.code.upper(),
        "date": f"{as_of:%d/%m/%Y}",
    }
    with step(label) as tell:
        write(path)
        run = load_flat(
            dataset,
            path,
            as_of,
            actor=actor,
            file_name=file_name,
            report=lambda _stage, done, total: tell(done, total),
        )
        path.unlink()
        if dataset.code == "dtsen" and run.version is not None and run.version.number == 1:
            # From here on the mark moves with each new version.
            mark_reference(
                run.version,
                actor=actors["sekretariat"],
                reason=_("DTSEN ditetapkan sebagai acuan bersama (Inpres 4/2025)."),
            )


@transaction.atomic
def make_accounts() -> dict[str, User]:
    """Make the accounts, at least one per role, by user name."""
    agencies = {agency.code: agency for agency in Agency.objects.all()}
    areas = {area.code: area for area in Area.objects.filter(code__in=("33.02.17", VILLAGE))}
    social, housing = agencies["dinsospermasdes"], agencies["dinperkim"]
    accounts: list[dict[str, Any]] = [
        {"username": "sekretariat", "full_name": "Wening Prabandari", "role": Role.SECRETARIAT,
         "position": "Sekretaris TKPKD"},
        # What is disposed of takes two people.
        {"username": "sekretariat-2", "full_name": "Danang Prasetyo", "role": Role.SECRETARIAT,
         "position": "Kepala Bidang Pemerintahan dan Pembangunan Manusia"},
        {"username": "kepala", "full_name": "Bagaskara Tri Nugraha", "role": Role.AGENCY_HEAD,
         "agency": social, "position": "Kepala Dinas"},
        {"username": "operator", "full_name": "Sekar Larasati", "role": Role.AGENCY_OPERATOR,
         "agency": social, "position": "Pengolah data"},
        {"username": "operator-perkim", "full_name": "Gilang Wicaksono",
         "role": Role.AGENCY_OPERATOR, "agency": housing, "position": "Pengolah data"},
        {"username": "kecamatan", "full_name": "Tarsono Widodo", "role": Role.AREA_OPERATOR,
         "area": areas["33.02.17"], "position": "Kepala Seksi Kesejahteraan Sosial"},
        {"username": "desa", "full_name": "Puji Astuti", "role": Role.AREA_OPERATOR,
         "area": areas[VILLAGE], "position": "Operator SIKS-NG"},
        {"username": "bupati", "full_name": "Raden Surya Kencana", "role": Role.REGENT,
         "position": "Bupati"},
        {"username": "auditor", "full_name": "Nastiti Handayani", "role": Role.AUDITOR,
         "position": "Auditor Inspektorat"},
    ]  # fmt: skip
    return {account["username"]: make_demo_account(**account) for account in accounts}


# Desa Cipete in Kecamatan Cilongok: where the village operator works.
VILLAGE = "33.02.17.2009"

DATASETS: tuple[dict[str, str], ...] = (
    {"code": "dtsen", "owner": "dinsospermasdes", "cadence": Cadence.QUARTERLY,
     "name": "Data Tunggal Sosial dan Ekonomi Nasional (DTSEN)",
     "legal_basis": "Inpres 4/2025 tentang Data Tunggal Sosial dan Ekonomi Nasional",
     "description": "Seluruh keluarga beserta peringkat kesejahteraannya, diterima dari BPS dan "
     "dimutakhirkan bersama desa/kelurahan."},
    {"code": "p3ke", "owner": "bappedalitbang", "cadence": Cadence.YEARLY,
     "name": "Pensasaran Percepatan Penghapusan Kemiskinan Ekstrem (P3KE)",
     "legal_basis": "Inpres 4/2022 tentang Percepatan Penghapusan Kemiskinan Ekstrem",
     "description": "Keluarga desil 1 sampai 3 dari pemeringkatan sebelum DTSEN."},
    {"code": "dtks", "owner": "dinsospermasdes", "cadence": Cadence.YEARLY,
     "name": "Data Terpadu Kesejahteraan Sosial (DTKS)",
     "legal_basis": "Permensos 3/2021 tentang Pengelolaan DTKS",
     "description": "Daftar yang dipakai sebelum DTSEN; disimpan sebagai pembanding."},
    {"code": "rtlh", "owner": "dinperkim", "cadence": Cadence.HALF_YEARLY,
     "name": "Rumah tidak layak huni (RTLH)",
     "legal_basis": "UU 1/2011 tentang Perumahan dan Kawasan Permukiman",
     "description": "Rumah yang disurvei tidak memenuhi syarat keselamatan dan kesehatan."},
    {"code": "stunting", "owner": "dinkes", "cadence": Cadence.MONTHLY,
     "name": "Balita stunting",
     "legal_basis": "Perpres 72/2021 tentang Percepatan Penurunan Stunting",
     "description": "Balita yang tinggi badannya di bawah standar menurut penimbangan posyandu."},
    {"code": "jkn-apbd", "owner": "dinkes", "cadence": Cadence.MONTHLY,
     "name": "Peserta JKN yang dibayar APBD",
     "legal_basis": "Perpres 82/2018 tentang Jaminan Kesehatan",
     "description": "Penduduk yang iuran JKN-nya dibayar pemerintah kabupaten."},
    {"code": "kependudukan", "owner": "dindukcapil", "cadence": Cadence.HALF_YEARLY,
     "name": "Data kependudukan",
     "legal_basis": "UU 24/2013 tentang Administrasi Kependudukan; Permendagri 102/2019",
     "description": "Data kependudukan bersih semesteran untuk memadankan NIK dan nomor KK."},
    {"code": "anak-tidak-sekolah", "owner": "dindik", "cadence": Cadence.YEARLY,
     "name": "Anak tidak sekolah",
     "legal_basis": "UU 20/2003 tentang Sistem Pendidikan Nasional",
     "description": "Anak usia 7 sampai 18 tahun yang tidak bersekolah."},
)  # fmt: skip


def make_datasets(actor: User) -> dict[str, Dataset]:
    """Create the demo's datasets, by code."""
    agencies = {agency.code: agency for agency in Agency.objects.all()}
    return {
        values["code"]: create_dataset(
            actor=actor, **{**values, "owner": agencies[values["owner"]]}
        )
        for values in DATASETS
    }
