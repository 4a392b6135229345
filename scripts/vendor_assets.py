"""Fetch the pinned npm packages and copy what Guyub serves or loads, with their licences.

Run ``uv run python scripts/vendor_assets.py`` after changing a version below. It needs ``npm``.
The result is committed, so that neither a demo nor production needs the network.
"""

from __future__ import annotations

import csv
import io
import subprocess
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "guyub"
STATIC = SOURCE / "ui" / "static" / "vendor"
# What only the tests load. Nothing here is served or packaged.
TEST_ASSETS = ROOT / "tests" / "assets"
AREAS = SOURCE / "areas" / "data"
REGENCY = "33.02"

# package, version, {file in the package: file under static/vendor}
BROWSER_ASSETS = [
    (
        "@picocss/pico",
        "2.1.1",
        {"css/pico.min.css": "pico/pico.min.css", "LICENSE.md": "pico/LICENSE"},
    ),
    ("idb", "8.0.4", {"build/umd.js": "idb/umd.js", "LICENSE": "idb/LICENSE"}),
    ("htmx.org", "4.0.1", {"dist/htmx.min.js": "htmx/htmx.min.js", "LICENSE": "htmx/LICENSE"}),
    ("vega", "6.4.0", {"build/vega.min.js": "vega/vega.min.js", "LICENSE": "vega/LICENSE"}),
    (
        "vega-lite",
        "6.5.0",
        {"build/vega-lite.min.js": "vega-lite/vega-lite.min.js", "LICENSE": "vega-lite/LICENSE"},
    ),
    (
        "vega-embed",
        "7.3.0",
        {
            "build/vega-embed.min.js": "vega-embed/vega-embed.min.js",
            "LICENSE": "vega-embed/LICENSE",
        },
    ),
    (
        "vega-interpreter",
        "2.3.2",
        {
            "build/vega-interpreter.js": "vega-interpreter/vega-interpreter.js",
            "LICENSE": "vega-interpreter/LICENSE",
        },
    ),
]
TEST_PACKAGES = [
    ("axe-core", "4.14.1", {"axe.min.js": "axe-core/axe.min.js", "LICENSE": "axe-core/LICENSE"}),
]
AREA_PACKAGE = ("idn-area-data", "3.1.2")


def package_files(name: str, version: str) -> dict[str, bytes]:
    """Return the files of one npm package version, by path inside it."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["npm", "pack", f"{name}@{version}", "--silent"],
            cwd=folder,
            check=True,
            capture_output=True,
        )
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as tar:
            return {
                member.name.removeprefix("package/"): tar.extractfile(member).read()  # type: ignore[union-attr]
                for member in tar.getmembers()
                if member.isfile()
            }


def without_source_map(content: bytes) -> bytes:
    """Drop the pointer to a source map that is not vendored; hashed static storage would miss it."""
    return b"\n".join(
        line for line in content.split(b"\n") if not line.startswith(b"//# sourceMappingURL=")
    )


def vendor(packages: list[tuple[str, str, dict[str, str]]], folder: Path, title: str) -> None:
    """Copy the wanted files of npm packages to ``folder``, with a list of their versions."""
    rows = []
    for name, version, wanted in packages:
        files = package_files(name, version)
        for inside, target in wanted.items():
            path = folder / target
            path.parent.mkdir(parents=True, exist_ok=True)
            content = files[inside]
            path.write_bytes(without_source_map(content) if target.endswith(".js") else content)
        rows.append(f"| {name} | {version} |")
    (folder / "VERSIONS.md").write_text(
        f"# {title}\n\nWritten by `scripts/vendor_assets.py`.\n\n"
        "| npm package | version |\n|---|---|\n" + "\n".join(rows) + "\n"
    )


def vendor_areas() -> None:
    """Keep Banyumas's own areas whole, and every district code of Indonesia for checking NIKs."""
    files = package_files(*AREA_PACKAGE)
    AREAS.mkdir(parents=True, exist_ok=True)

    def rows(name: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(files[f"data/{name}.csv"].decode())))

    with (AREAS / "banyumas.csv").open("w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["code", "name"])
        for name in ("regencies", "districts", "villages"):
            for row in rows(name):
                if row["code"] == REGENCY or row["code"].startswith(REGENCY + "."):
                    writer.writerow([row["code"], row["name"]])
    codes = sorted(row["code"].replace(".", "") for row in rows("districts"))
    (AREAS / "district_codes.txt").write_text("\n".join(codes) + "\n")
    (AREAS / "LICENSE.md").write_bytes(files["data/LICENSE.md"])
    (AREAS / "SOURCE.md").write_text(
        f"# Area data\n\nFrom the npm package `{AREA_PACKAGE[0]}` {AREA_PACKAGE[1]}, whose data is under "
        "the Open Database License (`LICENSE.md`). `banyumas.csv` holds Kabupaten Banyumas with its 27 "
        "districts and 331 villages; `district_codes.txt` holds the codes of all districts of Indonesia, "
        "without dots. Written by `scripts/vendor_assets.py`.\n"
    )


if __name__ == "__main__":
    vendor(BROWSER_ASSETS, STATIC, "Vendored browser assets")
    vendor(TEST_PACKAGES, TEST_ASSETS, "Vendored test assets")
    vendor_areas()
