"""Time, memory, precision and recall of linking N rows to N people, beside bare Splink.

    uv run python benchmarks/linkage.py [--rows 100000] [--seed 1] [--only guyub|splink]

Both link the same labelled synthetic files on DuckDB with two threads, from the raw Parquet files to one
counterpart a row; each runs in a process of its own, whose peak memory and processor time are told. What
importing the libraries takes counts for neither. Bare Splink gets the raw columns, the comparisons of its
library with their default levels, EM training as in its tutorial, and the threshold of its tutorial (0.95).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guyub.settings")
os.environ.setdefault("GUYUB_MODE", "test")


def setup() -> None:
    import django

    django.setup()


def make(folder: Path, rows: int, seed: int) -> None:
    setup()
    from guyub.demo.population import write_population
    from guyub.linking.synthetic import write_labelled

    write_population(folder / "population.parquet", int(rows * 1.25 / 3) + 50, seed)
    write_labelled(folder / "population.parquet", folder, rows, seed=seed)


def labelled(folder: Path) -> Any:
    from guyub.linking.synthetic import Labelled

    return Labelled(folder / "list.parquet", folder / "reference.parquet", folder / "truth.parquet")


def processor() -> float:
    """Return the seconds that this process has kept processors busy."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def guyub(folder: Path) -> dict[str, Any]:
    setup()
    import splink.comparison_level_library
    import splink.comparison_library  # noqa: F401

    from guyub.linking import linkage, preparing
    from guyub.linking.backends import open_scratch

    data = labelled(folder)
    place = folder / "guyub"
    place.mkdir()
    parts: dict[str, float] = {}
    started, busy = time.perf_counter(), processor()
    since, running = started, "prepare"

    def report(stage: str, _done: int, _total: int) -> None:
        nonlocal since, running
        now = time.perf_counter()
        parts[running] = parts.get(running, 0) + now - since
        since, running = now, stage

    job = linkage.Job(place, place / "left.parquet", place / "right.parquet")
    with open_scratch(job.work, "prepare") as duck:
        preparing.prepare(duck, f"'{data.list}'", job.left)
        preparing.prepare(duck, f"'{data.reference}'", job.right)
    counts = linkage.run(job, report)
    seconds, busy = time.perf_counter() - started, processor() - busy
    precision, recall = data.judge(
        f"SELECT id_l, id_r FROM '{job.links}' WHERE stage IN ('nik', 'kk', 'sure')"
    )
    _right, with_review = data.judge(
        f"SELECT id_l, id_r FROM '{job.links}' WHERE stage IN ('nik', 'kk', 'sure', 'review')"
    )
    return {
        "seconds": seconds, "processor": busy,
        "precision": precision, "recall": recall, "recall_reviewed": with_review,
        "asked": counts.get("review", 0), "parts": parts,
    }  # fmt: skip


def splink(folder: Path) -> dict[str, Any]:
    import duckdb
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    started, busy = time.perf_counter(), processor()
    duck = duckdb.connect(str(folder / "bare.duckdb"))
    duck.execute("SET threads=2")
    api = DuckDBAPI(duck)
    for name in ("list", "reference"):
        duck.execute(
            f"CREATE TABLE {name} AS SELECT id AS unique_id, nik, kk, upper(name) AS name, "
            f"birth_date, sex, village FROM '{folder / name}.parquet'"
        )
    model = SettingsCreator(
        link_type="link_only",
        comparisons=[
            cl.ExactMatch("nik"),
            cl.ExactMatch("kk"),
            cl.NameComparison("name"),
            cl.DateOfBirthComparison("birth_date", input_is_string=False),
            cl.ExactMatch("sex"),
            cl.ExactMatch("village"),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("nik"),
            block_on("kk"),
            block_on("name", "village"),
            block_on("birth_date", "village"),
            block_on("name", "birth_date"),
        ],
    )
    tables = [api.register(name, dataset_display_name=name) for name in ("list", "reference")]
    linker = Linker(tables, model, log_level=None)
    linker.training.estimate_probability_two_random_records_match([block_on("nik")], recall=0.6)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for rule in (block_on("nik"), block_on("name", "village")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    predicted = linker.inference.predict(threshold_match_probability=0.95, warning_mode="never")
    target = folder / "bare.parquet"
    duck.execute(
        f"COPY (SELECT unique_id_l AS id_l, unique_id_r AS id_r FROM {predicted.physical_name} "
        "QUALIFY row_number() OVER (PARTITION BY unique_id_l ORDER BY match_weight DESC) = 1) "
        f"TO '{target}' (FORMAT parquet)"
    )
    seconds, busy = time.perf_counter() - started, processor() - busy
    setup()
    precision, recall = labelled(folder).judge(f"SELECT * FROM '{target}'")
    return {"seconds": seconds, "processor": busy, "precision": precision, "recall": recall}


RUNS = {"guyub": guyub, "splink": splink}


def child(folder: Path, name: str, *options: str) -> str:
    """Run one part in a process of its own; what it printed."""
    command = [sys.executable, __file__, "--child", name, "--folder", str(folder), *options]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=sorted(RUNS))
    parser.add_argument("--child", choices=["make", *sorted(RUNS)], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child == "make":
        make(given.folder, given.rows, given.seed)
        return
    if given.child:
        found = RUNS[given.child](given.folder)
        found["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(found))
        return
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        # Not in this process: its children would inherit its peak memory as their own.
        child(folder, "make", "--rows", str(given.rows), "--seed", str(given.seed))
        print(f"{given.rows:,} x {given.rows:,}; load average {os.getloadavg()[0]:.1f}")
        print("| | seconds | processor | peak memory | precision | recall |")
        print("|---|---:|---:|---:|---:|---:|")
        for name in [given.only] if given.only else ["splink", "guyub"]:
            found = json.loads(child(folder, name).splitlines()[-1])
            print(
                f"| {name} | {found['seconds']:.1f} | {found['processor']:.1f} "
                f"| {found['memory']:,.0f} MB "
                f"| {found['precision']:.4f} | {found['recall']:.4f} |"
            )
            if "parts" in found:
                parts = ", ".join(f"{stage} {part:.1f} s" for stage, part in found["parts"].items())
                print(
                    f"  ({parts}; {found['asked']:,} pairs to review, with all of them answered "
                    f"recall {found['recall_reviewed']:.4f})"
                )
        print(f"load average at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
