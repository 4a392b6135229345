"""The flat form of the registry: one row per person, the household's values repeated on each.

Agencies' files look like this, dataset versions are stored like this (as Parquet) and exports are
written like this. Text is ``NULL`` where nothing is known, never empty.
"""

from __future__ import annotations

# Column name to DuckDB type. Coded columns hold the codes of guyub.registry.vocabulary.
PERSON_COLUMNS = {
    "nik": "VARCHAR",
    "name": "VARCHAR",
    "sex": "VARCHAR",
    "birth_date": "DATE",
    "birth_place": "VARCHAR",
    "relation": "VARCHAR",
    "disability": "VARCHAR",
    "work": "VARCHAR",
    "schooling": "VARCHAR",
    "health_insurance": "VARCHAR",
    "person_status": "VARCHAR",
}
HOUSEHOLD_COLUMNS = {
    "kk": "VARCHAR",
    "village": "VARCHAR",  # Kemendagri code with dots: 33.02.01.2001
    "address": "VARCHAR",
    "hamlet": "VARCHAR",
    "rt": "VARCHAR",
    "rw": "VARCHAR",
    "floor": "VARCHAR",
    "wall": "VARCHAR",
    "roof": "VARCHAR",
    "sanitation": "VARCHAR",
    "water": "VARCHAR",
    "electricity": "VARCHAR",
    "ownership": "VARCHAR",
    "assets": "VARCHAR",  # codes in alphabetical order, separated by commas
    "expenditure": "INTEGER",  # rupiah per person per month
    "desil": "TINYINT",
    "extreme_poor": "BOOLEAN",
    "latitude": "DOUBLE",
    "longitude": "DOUBLE",
    "household_status": "VARCHAR",
}
FLAT_COLUMNS = {**PERSON_COLUMNS, **HOUSEHOLD_COLUMNS}
