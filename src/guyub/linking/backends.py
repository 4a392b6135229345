"""Where pairs are compared: DuckDB in this process, or Spark, chosen by ``settings.LINKING_BACKEND``.

Both read the same prepared Parquet files, run the same Splink model and write one Parquet file of
weighed pairs.
"""

from __future__ import annotations

import abc
import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from guyub.linking.model import COMPARISONS

if TYPE_CHECKING:
    from splink import SettingsCreator

logging.getLogger("splink").setLevel(logging.ERROR)


class Backend(abc.ABC):
    """Weighs pairs. ``score`` is the one thing that a backend does."""

    name = ""

    @abc.abstractmethod
    def score(
        self,
        sides: Sequence[Path],
        model: SettingsCreator,
        target: Path,
        least_weight: float | None,
    ) -> dict[str, Any]:
        """Write the pairs of the one or two prepared files to ``target``; return the model as used.

        One row per pair that shares a block and weighs at least ``least_weight``: ``id_l``, ``id_r``,
        ``match_weight``, and for each comparison ``gamma_<name>`` (its level) and ``mw_<name>`` (its
        weight, adjusted for how common a name is).
        """


class DuckDB(Backend):
    """In this process, spilling to disk instead of growing."""

    name = "duckdb"

    def __init__(self, work: Path, memory: str | None = None) -> None:
        self.work = work
        self.memory = memory or settings.LINKING_MEMORY

    def score(
        self,
        sides: Sequence[Path],
        model: SettingsCreator,
        target: Path,
        least_weight: float | None,
    ) -> dict[str, Any]:
        # Imported late here and below: it takes most of a second, and only the worker weighs pairs.
        from splink import DuckDBAPI, Linker

        with open_scratch(self.work, "score", self.memory) as duck:
            api = DuckDBAPI(duck)
            tables = []
            for number, path in enumerate(sides):
                duck.execute(f"CREATE OR REPLACE VIEW side_{number} AS SELECT * FROM '{path}'")
                tables.append(api.register(f"side_{number}", dataset_display_name=f"s{number}"))
            linker = Linker(tables, model, log_level=None, validate_settings=False)
            predicted = linker.inference.predict(
                threshold_match_weight=least_weight, warning_mode="never"
            )
            query = _kept_columns(predicted.physical_name)
            part = target.with_suffix(".part")
            duck.execute(f"COPY ({query}) TO '{part}' (FORMAT parquet, COMPRESSION zstd)")
            part.replace(target)
            return _model_of(linker)


class Spark(Backend):
    """On a Spark cluster, or on the cores of this machine (``settings.LINKING_SPARK_MASTER``)."""

    name = "spark"

    def score(
        self,
        sides: Sequence[Path],
        model: SettingsCreator,
        target: Path,
        least_weight: float | None,
    ) -> dict[str, Any]:
        from splink import Linker, SparkAPI

        session = spark_session()
        api = SparkAPI(spark_session=session, break_lineage_method="persist")
        tables = []
        for number, path in enumerate(sides):
            frame = session.read.parquet(str(path))
            tables.append(api.register(frame, dataset_display_name=f"s{number}"))
        linker = Linker(tables, model, log_level=None, validate_settings=False)
        predicted = linker.inference.predict(
            threshold_match_weight=least_weight, warning_mode="never"
        )
        folder = target.with_suffix(".spark")
        shutil.rmtree(folder, ignore_errors=True)
        session.sql(_kept_columns(predicted.physical_name)).write.parquet(str(folder))
        part = target.with_suffix(".part")
        with duckdb.connect() as duck:
            duck.execute(
                f"COPY (SELECT * FROM '{folder}/*.parquet') TO '{part}' "
                "(FORMAT parquet, COMPRESSION zstd)"
            )
        part.replace(target)
        shutil.rmtree(folder, ignore_errors=True)
        session.catalog.clearCache()
        return _model_of(linker)


def _kept_columns(predicted: str) -> str:
    """Return SQL, in both dialects, for the columns that are kept of Splink's prediction."""
    columns = ["unique_id_l AS id_l", "unique_id_r AS id_r", "match_weight"]
    for comparison in COMPARISONS:
        name = comparison.name
        adjusted = any(level.by_frequency for level in comparison.levels)
        extra = f" + coalesce(mw_tf_adj_{name}, 0.0)" if adjusted else ""
        columns += [f"gamma_{name}", f"coalesce(mw_{name}, 0.0){extra} AS mw_{name}"]
    return f"SELECT {', '.join(columns)} FROM {predicted}"


def _model_of(linker: Any) -> dict[str, Any]:
    content: dict[str, Any] = linker.misc.save_model_to_json()
    return content


@contextmanager
def open_scratch(work: Path, name: str, memory: str | None = None) -> Iterator[Any]:
    """Open a DuckDB database in the scratch folder ``work``; it goes when the work is done."""
    work.mkdir(parents=True, exist_ok=True)
    path = work / f"{name}.duckdb"
    path.unlink(missing_ok=True)
    connection = duckdb.connect(str(path))
    try:
        connection.execute(
            f"SET memory_limit='{memory or settings.LINKING_MEMORY}'; SET temp_directory='{work}'; "
            "SET threads=2; SET preserve_insertion_order=false"
        )
        yield connection
    finally:
        connection.close()
        path.unlink(missing_ok=True)


def spark_session() -> Any:
    """Return the Spark session, with Splink's functions for comparing text.

    Raises:
        ImproperlyConfigured: PySpark is not installed (``uv sync --extra spark``).
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise ImproperlyConfigured(
            "GUYUB_LINKING_BACKEND=spark needs PySpark: uv sync --extra spark"
        ) from error
    from splink.backends.spark import similarity_jar_location

    builder = SparkSession.builder.master(settings.LINKING_SPARK_MASTER)
    if settings.LINKING_SPARK_MASTER.startswith("local"):
        # Two hundred pieces, as for a cluster, would take longer to hand out than to work on.
        builder = builder.config("spark.sql.shuffle.partitions", "4").config(
            "spark.default.parallelism", "4"
        )
        builder = builder.config("spark.driver.bindAddress", "127.0.0.1").config(
            "spark.driver.host", "127.0.0.1"
        )
    return (
        builder.appName("guyub-linking")
        .config("spark.jars", similarity_jar_location())
        .config("spark.driver.memory", settings.LINKING_MEMORY.lower().replace("gb", "g"))
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )


def backend(work: Path) -> Backend:
    """Return the backend that this installation is configured to use."""
    if settings.LINKING_BACKEND == "spark":
        return Spark()
    if settings.LINKING_BACKEND != "duckdb":
        raise ImproperlyConfigured("GUYUB_LINKING_BACKEND must be duckdb or spark")
    return DuckDB(work)
