"""The public's pages, the catalogue, downloads, and the secretariat's decision to publish."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import re
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
import rdflib
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from rdflib.compare import isomorphic

from guyub.access.roles import Role
from guyub.audit.models import Event
from guyub.portal import services
from guyub.portal.files import FORMATS, PUBLICATIONS
from guyub.portal.models import Release, ReleaseState
from guyub.portal.tests.conftest import HOMES, V1

pytestmark = pytest.mark.django_db
DCAT = rdflib.Namespace("http://www.w3.org/ns/dcat#")
PAGES = ("/publik/", "/publik/program/", "/publik/data/", "/publik/kecamatan/33.02.01/",
         "/publik/cara-melindungi/")  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_pages_before_anything_is_released(regency: Any, client: Client, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200
    if path != "/publik/cara-melindungi/":
        assert "Belum ada data yang diterbitkan" in page.content.decode()


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_quick_and_small(
    release: Any, client: Client, django_assert_max_num_queries: Any, path: str
) -> None:
    release()
    with django_assert_max_num_queries(10):
        page = client.get(path)
    assert page.status_code == 200
    assert len(page.content) < 60_000


def test_a_draft_is_seen_by_nobody_but_the_secretariat(
    make_version: Any, client: Client, client_for: Any
) -> None:
    draft = services.compute(
        services.prepare(make_version(dt.date(2025, 10, 1), HOMES), actor=None)
    )
    assert "Belum ada data" in client.get("/publik/").content.decode()
    for path in (
        f"/publik/data/{draft.pk}/keluarga-desil.csv",
        f"/api/v1/public/releases/{draft.pk}/counts",
        f"/api/v1/public/releases/{draft.pk}/tables/angka-kemiskinan",
    ):
        assert client.get(path).status_code == 404
    page = client_for(Role.SECRETARIAT).get(reverse("portal:preview", args=[draft.pk]))
    assert "Terbitkan untuk umum" in page.content.decode()


def test_the_secretariat_prepares_looks_and_publishes(
    make_version: Any, client_for: Callable[..., Client], django_capture_on_commit_callbacks: Any
) -> None:
    version = make_version(dt.date(2025, 10, 1), HOMES)
    client = client_for(Role.SECRETARIAT)
    with django_capture_on_commit_callbacks():
        client.post(reverse("portal:prepare", args=[version.pk]))
    release = Release.objects.get()
    assert (
        "Sedang menghitung"
        in client.get(reverse("portal:preview", args=[release.pk])).content.decode()
    )
    services.compute(release)
    page = client.get(reverse("portal:preview", args=[release.pk])).content.decode()
    assert "Yang disembunyikan" in page
    client.post(reverse("portal:publish", args=[release.pk]))
    release.refresh_from_db()
    assert release.state == ReleaseState.RELEASED
    event = Event.objects.get(action="portal.release.publish")
    assert event.detail["counts"]["households"]["withheld"] > 0
    client.post(reverse("portal:discard", args=[release.pk]))
    assert Release.objects.exists()


def test_a_version_is_released_once(release: Any) -> None:
    one = release()
    with pytest.raises(ValidationError):
        services.prepare(one.version, actor=None)
    with pytest.raises(ValidationError):
        services.publish(one, actor=None)


def test_a_draft_is_thrown_away_with_its_files(
    make_version: Any, django_capture_on_commit_callbacks: Any
) -> None:
    draft = services.compute(services.prepare(make_version(dt.date(2025, 1, 1), HOMES), actor=None))
    folder = draft.folder
    assert folder.exists()
    with django_capture_on_commit_callbacks(execute=True):
        services.discard(draft, actor=None)
    assert not folder.exists()
    assert not Release.objects.exists()


def test_a_draft_that_does_not_know_what_was_released_since_is_refused(make_version: Any) -> None:
    drafts = [
        services.compute(services.prepare(make_version(dt.date(2025, month, 1), HOMES), actor=None))
        for month in (1, 7)
    ]
    services.publish(drafts[0], actor=None)
    with pytest.raises(ValidationError, match="Siapkan lagi"):
        services.publish(drafts[1], actor=None)
    again = services.compute(services.prepare(drafts[1].version, actor=None))
    assert services.publish(again, actor=None).is_released


def test_a_release_does_not_follow_the_registry(release: Any, make_household: Any) -> None:
    release()
    before = Client().get("/publik/").content
    make_household(V1, desil=1)
    after = Client().get("/publik/").content
    strip = lambda page: [line for line in page.splitlines() if b"csrf" not in line.lower()]  # noqa: E731
    assert strip(before) == strip(after)


def test_files_open_in_excel_and_are_cached(release: Any, client: Client) -> None:
    one = release()
    file = one.files.get(dataset="keluarga-desil", format="csv")
    response = client.get(f"/publik/data/{one.pk}/keluarga-desil.csv")
    content = response.getvalue()
    assert content.startswith(b"\xef\xbb\xbfper_tanggal;kode_kemendagri;")
    assert hashlib.sha256(content).hexdigest() == file.digest
    assert len(content) == file.size
    assert "immutable" in response.headers["Cache-Control"]
    assert "Set-Cookie" not in response.headers
    again = client.get(response.request["PATH_INFO"], headers={"If-None-Match": response["ETag"]})
    assert again.status_code == 304
    rows = list(csv.reader(content.decode("utf-8-sig").splitlines(), delimiter=";"))
    assert len(rows) == file.rows + 1


def test_the_catalogue_is_valid_and_complete(release: Any, client: Client) -> None:
    one = release()
    answer = client.get("/publik/katalog.jsonld")
    linked = rdflib.Graph().parse(data=answer.content, format="json-ld")
    turtle = rdflib.Graph().parse(
        data=client.get("/publik/katalog.ttl").content.replace(b"katalog.ttl", b"katalog.jsonld"),
        format="turtle",
    )
    assert isomorphic(linked, turtle)
    datasets = set(linked.subjects(rdflib.RDF.type, DCAT.Dataset))
    assert len(datasets) == 4
    for dataset in datasets:
        for needed in (
            rdflib.DCTERMS.title, rdflib.DCTERMS.creator, rdflib.DCTERMS.accrualPeriodicity,
            rdflib.DCTERMS.spatial, rdflib.DCTERMS.license, rdflib.DCTERMS.issued,
            DCAT.version, DCAT.inSeries, DCAT.keyword,
        ):  # fmt: skip
            assert linked.value(dataset, needed) is not None, needed
        assert len(set(linked.objects(dataset, DCAT.distribution))) == 2
    digests = {
        str(value)
        for value in linked.objects(None, rdflib.URIRef("http://spdx.org/rdf/terms#checksumValue"))
    }
    assert digests == set(one.files.values_list("digest", flat=True))
    for address in linked.objects(None, DCAT.downloadURL):
        assert client.get(str(address).removeprefix("http://testserver")).status_code == 200
    again = client.get("/publik/katalog.jsonld", headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304


# What DCAT-AP 3 asks for, and what it recommends where Guyub can tell it.
NEEDED = {
    DCAT.Catalog: ["dct:title", "dct:description", "dct:publisher", "dcat:dataset", "foaf:homepage",
                   "dct:language", "dct:license", "dct:modified", "dct:spatial", "dcat:contactPoint"],
    DCAT.Dataset: ["dct:title", "dct:description", "dct:identifier", "dct:publisher", "dct:creator",
                   "dcat:distribution", "dcat:keyword", "dcat:theme", "dcat:contactPoint",
                   "dct:temporal", "dct:accessRights", "dcat:landingPage", "dct:provenance"],
    DCAT.DatasetSeries: ["dct:title", "dct:description", "dct:publisher", "dct:spatial"],
    DCAT.Distribution: ["dcat:accessURL", "dcat:downloadURL", "dct:license", "dcat:mediaType",
                        "dcat:byteSize", "spdx:checksum", "dct:title"],
}  # fmt: skip


def test_every_node_of_the_catalogue_has_what_dcat_asks_for(release: Any, client: Client) -> None:
    release()
    release(dt.date(2026, 4, 1), {key: 3 * count for key, count in HOMES.items()})
    graph = rdflib.Graph().parse(data=client.get("/publik/katalog.ttl").content, format="turtle")
    names = dict(graph.namespaces())
    for kind, needed in NEEDED.items():
        nodes = set(graph.subjects(rdflib.RDF.type, kind))
        assert nodes, kind
        for node in nodes:
            assert isinstance(node, rdflib.URIRef)
            for name in needed:
                prefix, _colon, local = name.partition(":")
                assert graph.value(node, rdflib.URIRef(names[prefix] + local)), (kind, node, name)
    # Every thing that is pointed at within the catalogue is described in it.
    pages = {str(address).partition("#")[0] for address in graph.objects(None, DCAT.landingPage)}
    for _subject, _predicate, thing in graph:
        if (
            isinstance(thing, rdflib.URIRef)
            and str(thing).partition("#")[0] in pages
            and "#" in thing
        ):
            assert (thing, rdflib.RDF.type, None) in graph, thing
    assert len(set(graph.subject_objects(DCAT.prev))) == 4
    for size in graph.objects(None, DCAT.byteSize):
        assert size.datatype == rdflib.XSD.nonNegativeInteger


def test_csv_and_parquet_hold_the_same_and_bear_their_checksums(
    release: Any, client: Client, make_sub_activity: Any
) -> None:
    for number in range(3):
        make_sub_activity(f"Bantuan {number}", year=2025)
    one = release()
    for publication in PUBLICATIONS:
        contents = {}
        for form in FORMATS:
            content = client.get(f"/publik/data/{one.pk}/{publication.key}.{form}").getvalue()
            file = one.files.get(dataset=publication.key, format=form)
            assert hashlib.sha256(content).hexdigest() == file.digest
            assert len(content) == file.size
            contents[form] = content
        frame = pl.read_parquet(io.BytesIO(contents["parquet"]))
        head, *lines = csv.reader(contents["csv"].decode("utf-8-sig").splitlines(), delimiter=";")
        assert head == frame.columns == [field.name for field in publication.fields]
        assert len(lines) == frame.height == file.rows
        for line, row in zip(lines, frame.iter_rows(), strict=True):
            for text, value in zip(line, row, strict=True):
                if isinstance(value, float):
                    assert float(text.replace(",", ".")) == pytest.approx(value)
                else:
                    assert text == ("" if value is None else str(value))


def test_releases_are_set_side_by_side(release: Any, client: Client) -> None:
    first = release()
    assert "Dari terbitan ke terbitan" not in client.get("/publik/").content.decode()
    release(dt.date(2026, 10, 1), {key: 2 * count for key, count in HOMES.items()})
    for path in ("/publik/", "/publik/kecamatan/33.02.01/"):
        page = client.get(path).content.decode()
        assert "Dari terbitan ke terbitan" in page
        assert f'href="{path}?terbitan={first.pk}"' in page
    assert re.search(
        r'Semua keluarga">417<.*Semua keluarga">834<', client.get("/publik/").content.decode(), re.S
    )


def test_public_pages_are_kept_small_in_both_languages(release: Any, client: Client) -> None:
    release()
    client.cookies["guyub_bahasa"] = "en"
    for path in PAGES:
        page = client.get(path)
        assert 'lang="en"' in page.content.decode()
        assert page.status_code == 200


def test_the_catalogue_before_anything_is_released(regency: Any, client: Client) -> None:
    tree = json.loads(client.get("/publik/katalog.jsonld").content)
    assert all(node["@type"] == "dcat:DatasetSeries" for node in tree["dcat:dataset"])
    rdflib.Graph().parse(data=client.get("/publik/katalog.ttl").content, format="turtle")


def test_the_api_needs_no_account(release: Any, client: Client) -> None:
    one = release()
    (row,) = client.get("/api/v1/public/releases").json()["items"]
    assert (row["id"], row["dataset"], len(row["files"])) == (one.pk, "dtsen", 8)
    counts = client.get(f"/api/v1/public/releases/{one.pk}/counts?area={V1}").json()
    assert counts["count"] == 6
    answer = client.get(f"/api/v1/public/releases/{one.pk}/tables/program-anggaran")
    assert answer.json()["items"] == []
    assert client.get(f"/api/v1/public/releases/{one.pk}/tables/keluarga-desil").status_code == 404


def test_a_year_without_programs_shows_no_noughts_for_them(release: Any, client: Client) -> None:
    release()
    assert "bantuan ditetapkan" not in client.get("/publik/").content.decode()
    assert "bantuan ditetapkan" not in client.get("/publik/kecamatan/33.02.01/").content.decode()
