"""The catalogue of open data in DCAT 3, for Satu Data Indonesia (Perpres 39/2019) and for harvesters.

One series per publication (``dcat:DatasetSeries``), in it one dataset per release, and of each a CSV and a
Parquet distribution with their SHA-256. A dataset carries what Satu Data asks of metadata: a title, the
agency that produces it, how often, which area by its code, the date, the version and the variables.

The description is one tree, written either as JSON-LD or as Turtle.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.urls import reverse

from guyub.datasets.models import Cadence
from guyub.portal.files import FORMATS, PUBLICATIONS, Publication, regency_code
from guyub.portal.models import Release, ReleasedFile

LICENCE = "https://creativecommons.org/licenses/by/4.0/"
PREFIXES = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "spdx": "http://spdx.org/rdf/terms#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
EU = "http://publications.europa.eu/resource/authority/"
FREQUENCIES = {
    Cadence.MONTHLY: "MONTHLY",
    Cadence.QUARTERLY: "QUARTERLY",
    Cadence.HALF_YEARLY: "ANNUAL_2",
    Cadence.YEARLY: "ANNUAL",
}
MEDIA = "https://www.iana.org/assignments/media-types/"
Node = dict[str, Any]


def describe(
    releases: Sequence[Release], files: Mapping[int, Sequence[ReleasedFile]], site: str
) -> Node:
    """Return the catalogue of ``releases`` (newest first) with their ``files`` by release.

    ``site`` is the address of this installation without a slash at its end.
    """
    base = site + reverse("portal:data")
    publisher = {
        "@id": f"{site}{reverse('public')}#tkpkd",
        "@type": "foaf:Organization",
        "foaf:name": _text(f"TKPKD {settings.REGENCY_NAME}"),
    }
    place = {
        "@id": f"{base}#wilayah-{regency_code()}",
        "@type": "dct:Location",
        "dct:identifier": settings.REGENCY_CODE,
        "rdfs:label": _text(settings.REGENCY_NAME),
    }
    # Whoever finds a fault in the data writes to where complaints go.
    contact = {
        "@id": f"{site}{reverse('public')}#kontak",
        "@type": "vcard:Organization",
        "vcard:fn": _text(f"TKPKD {settings.REGENCY_NAME}"),
        "vcard:hasURL": {"@id": site + reverse("proposals:lodge")},
    }
    series, datasets = [], []
    for publication in PUBLICATIONS:
        about: Node = {
            "@id": f"{base}#{publication.key}",
            "@type": "dcat:DatasetSeries",
            "dct:title": _text(str(publication.title)),
            "dct:description": _text(str(publication.description)),
            "dct:publisher": {"@id": publisher["@id"]},
            "dct:spatial": {"@id": place["@id"]},
        }
        series.append(about)
        earlier = None
        for release in reversed(releases):
            found = [file for file in files.get(release.pk, ()) if file.dataset == publication.key]
            dataset = _dataset(publication, release, found, site, publisher, place, about)
            dataset["dcat:contactPoint"] = {"@id": contact["@id"]}
            if earlier is not None:
                dataset["dcat:prev"] = {"@id": earlier}
            earlier = dataset["@id"]
            datasets.append(dataset)
    newest = max((release.released_at for release in releases if release.released_at), default=None)
    found_catalogue: Node = {
        "@id": site + reverse("portal:catalogue_json"),
        "@type": "dcat:Catalog",
        "dct:title": _text(f"Data terbuka penanggulangan kemiskinan {settings.REGENCY_NAME}"),
        "dct:description": _text(
            "Data agregat tanpa nama. Angka kecil disembunyikan agar tidak ada keluarga yang dikenali."
        ),
        "dct:language": {"@id": f"{EU}language/IND"},
        "dct:license": {"@id": LICENCE},
        "dct:publisher": publisher,
        "dct:spatial": place,
        "dcat:contactPoint": contact,
        "foaf:homepage": {"@id": site + reverse("public")},
        "dcat:dataset": datasets + series,
    }
    if newest is not None:
        found_catalogue["dct:modified"] = _moment(newest)
    return found_catalogue


def _dataset(
    publication: Publication,
    release: Release,
    files: Sequence[ReleasedFile],
    site: str,
    publisher: Node,
    place: Node,
    series: Node,
) -> Node:
    source = release.version.dataset
    page = site + reverse("portal:data")
    name = f"{publication.key}-{release.pk}"
    return {
        "@id": f"{page}#{name}",
        "@type": "dcat:Dataset",
        "dct:identifier": name,
        "dct:title": _text(f"{publication.title}, {release.as_of:%d/%m/%Y}"),
        "dct:description": _text(str(publication.description)),
        "dct:creator": {
            "@id": f"{page}#produsen-{source.owner.code}",
            "@type": "foaf:Organization",
            "foaf:name": _text(str(source.owner)),
        },
        "dct:publisher": {"@id": publisher["@id"]},
        "dct:accrualPeriodicity": {"@id": f"{EU}frequency/{FREQUENCIES[Cadence(source.cadence)]}"},
        "dct:accessRights": {"@id": f"{EU}access-right/PUBLIC"},
        "dct:language": {"@id": f"{EU}language/IND"},
        "dct:license": {"@id": LICENCE},
        "dct:spatial": {"@id": place["@id"]},
        "dct:temporal": {
            "@id": f"{page}#{name}-waktu",
            "@type": "dct:PeriodOfTime",
            "dcat:endDate": {"@value": release.as_of.isoformat(), "@type": "xsd:date"},
        },
        "dct:issued": _moment(release.released_at or release.created_at),
        "dct:provenance": {
            "@id": f"{page}#{name}-asal",
            "@type": "dct:ProvenanceStatement",
            "rdfs:label": _text(f"{source.name} ({source.legal_basis})"),
        },
        "dcat:version": str(release.version.number),
        "dcat:inSeries": {"@id": series["@id"]},
        "dcat:keyword": [_text(word) for word in publication.keywords],
        "dcat:landingPage": {"@id": page},
        "dcat:theme": {"@id": f"{EU}data-theme/SOCI"},
        "dcat:distribution": [_distribution(file, site, page) for file in files],
    }


def _distribution(file: ReleasedFile, site: str, page: str) -> Node:
    address = site + reverse("portal:download", args=[file.release_id, file.dataset, file.format])
    return {
        "@id": address,
        "@type": "dcat:Distribution",
        "dct:title": _text(file.file_name),
        "dct:license": {"@id": LICENCE},
        "dcat:accessURL": {"@id": page},
        "dcat:downloadURL": {"@id": address},
        "dcat:mediaType": {"@id": MEDIA + FORMATS[file.format]},
        "dcat:byteSize": {"@value": str(file.size), "@type": "xsd:nonNegativeInteger"},
        "spdx:checksum": {
            "@id": f"{address}#sha256",
            "@type": "spdx:Checksum",
            "spdx:algorithm": {"@id": "spdx:checksumAlgorithm_sha256"},
            "spdx:checksumValue": {"@value": file.digest, "@type": "xsd:hexBinary"},
        },
    }


def _text(text: str) -> Node:
    return {"@value": text, "@language": "id"}


def _moment(when: dt.datetime) -> Node:
    return {"@value": when.isoformat(timespec="seconds"), "@type": "xsd:dateTime"}


def as_json(node: Node) -> str:
    """Write a description as JSON-LD."""
    return json.dumps({"@context": PREFIXES, **node}, ensure_ascii=False, indent=1)


def as_turtle(node: Node) -> str:
    """Write a description as Turtle."""
    heads = [f"@prefix {name}: <{address}> ." for name, address in PREFIXES.items()]
    return "\n".join([*heads, "", *_statements(node)]) + "\n"


def _statements(node: Node) -> Iterator[str]:
    """Write a node as one paragraph of Turtle, and after it those that hang on it."""
    lines, further = [], []
    for key, value in node.items():
        if key == "@id":
            continue
        values = value if isinstance(value, list) else [value]
        written = []
        for one in values:
            written.append(_object(one, is_type=key == "@type"))
            if isinstance(one, dict) and "@id" in one and len(one) > 1:
                further.append(one)
        if written:
            lines.append(f"    {'a' if key == '@type' else key} {', '.join(written)}")
    yield f"<{node['@id']}>\n" + " ;\n".join(lines) + " .\n"
    for one in further:
        yield from _statements(one)


def _object(value: Any, is_type: bool) -> str:
    if is_type:
        return str(value)
    if isinstance(value, dict) and "@id" in value:
        prefix = value["@id"].partition(":")[0]
        return value["@id"] if prefix in PREFIXES else f"<{value['@id']}>"
    # A JSON string is a Turtle string.
    if not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    text = json.dumps(value["@value"], ensure_ascii=False)
    return f"{text}@{value['@language']}" if "@language" in value else f"{text}^^{value['@type']}"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
