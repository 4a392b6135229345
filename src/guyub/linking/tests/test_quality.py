"""How many links are right, and how many are found, on lists whose truth is known."""

from __future__ import annotations

import shutil

import duckdb
import pytest

from guyub.demo.population import write_population
from guyub.linking import linkage, preparing
from guyub.linking.backends import Spark, open_scratch
from guyub.linking.synthetic import write_labelled

ROWS = 3000


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labelled")
    write_population(folder / "population.parquet", ROWS // 2, seed=5)
    return write_labelled(folder / "population.parquet", folder, ROWS, seed=11)


def link(labelled, folder, scorer=None, rows=ROWS):
    job = linkage.Job(folder, folder / "left.parquet", folder / "right.parquet", scorer=scorer)
    with open_scratch(job.work, "prepare") as duck:
        some = f"(SELECT * FROM '{labelled.list}' WHERE id <= {rows})"
        preparing.prepare(duck, some, job.left)
        preparing.prepare(duck, f"'{labelled.reference}'", job.right)
    linkage.run(job)
    return job


@pytest.fixture(scope="module")
def job(labelled, tmp_path_factory):
    return link(labelled, tmp_path_factory.mktemp("job"))


def test_precision_and_recall_without_a_person(labelled, job):
    precision, recall = labelled.judge(
        f"SELECT id_l, id_r FROM '{job.links}' WHERE stage IN ('nik', 'kk', 'sure')"
    )
    assert precision >= 0.99
    assert recall >= 0.95


def test_weighing_finds_those_whom_numbers_do_not(labelled, job):
    _precision, by_numbers = labelled.judge(
        f"SELECT id_l, id_r FROM '{job.links}' WHERE stage IN ('nik', 'kk')"
    )
    precision, by_weight = labelled.judge(
        f"SELECT id_l, id_r FROM '{job.links}' WHERE stage = 'sure'"
    )
    assert precision >= 0.99
    assert by_numbers < 0.85
    assert by_weight > 0.15


def test_nobody_is_linked_twice(job):
    rows = duckdb.execute(
        f"SELECT id_l, id_r FROM '{job.links}' WHERE stage IN ('nik', 'kk', 'sure', 'review')"
    ).fetchall()
    assert len({left for left, _right in rows}) == len(rows)
    assert len({right for _left, right in rows}) == len(rows)


def links_of(job):
    return duckdb.execute(
        f"SELECT id_l, id_r, stage, round(weight, 6) FROM '{job.links}' ORDER BY ALL"
    ).fetchall()


def test_the_same_lists_give_the_same_links_to_the_last_digit(labelled, job, tmp_path):
    assert links_of(link(labelled, tmp_path)) == links_of(job)


def test_spark_gives_the_same_links(labelled, tmp_path, settings):
    pytest.importorskip("pyspark")
    if "sqlite" not in settings.DATABASES["default"]["ENGINE"]:
        pytest.skip("no database takes part; once is enough")
    if shutil.which("java") is None:
        pytest.skip("no Java")
    here, there = tmp_path / "duckdb", tmp_path / "spark"
    here.mkdir()
    there.mkdir()
    expected = links_of(link(labelled, here, rows=400))
    found = links_of(link(labelled, there, scorer=Spark(), rows=400))
    assert sum(stage == "sure" for _l, _r, stage, _w in expected) > 50
    assert found == expected
