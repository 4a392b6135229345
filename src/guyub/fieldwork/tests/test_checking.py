"""What a form asks for given answers, what is wrong with them, and that browsers agree."""

from __future__ import annotations

import json
from typing import Any

import pytest

from guyub.fieldwork.checking import Filled, check_answers
from guyub.fieldwork.definition import Choice, Definition, Expression, Item
from guyub.fieldwork.expressions import parse
from guyub.fieldwork.tests.test_expressions import NOW, module_page

pytestmark = pytest.mark.own_database

PATHS = {
    "punya_rumah": "/punya_rumah", "lantai": "/rumah/lantai", "kec": "/kec", "desa": "/desa",
    "anggota": "/anggota", "nama": "/anggota/nama", "umur": "/anggota/umur", "sekolah": "/anggota/sekolah",
    "kelas": "/anggota/sekolah/kelas", "jumlah": "/jumlah", "rata": "/rata",
}  # fmt: skip


def says(text: str, *, columns: bool = False) -> Expression:
    return Expression(text, parse(text, PATHS.__getitem__, columns=columns))


def ask(path: str, kind: str = "text", **values: Any) -> Item:
    name = path.rsplit("/", 1)[1]
    return Item("question", name, path, kind, {"id": name.replace("_", " ").capitalize()}, **values)


YES = Expression("true()", ["call", "true"])
FORM = Definition(
    "uji",
    "1",
    {"id": "Uji"},
    ("id",),
    (
        ask("/punya_rumah", "select_one", required=YES, choices=(Choice("ya"), Choice("tidak"))),
        Item(
            "group", "rumah", "/rumah", relevant=says("${punya_rumah} = 'ya'"),
            items=(
                ask("/rumah/lantai", "select_multiple", required=YES,
                    choices=(Choice("tanah"), Choice("ubin")),
                    constraint=says("not(selected(., 'tanah') and selected(., 'ubin'))"),
                    constraint_message={"id": "Tanah dan ubin tidak sekaligus."}),
                ask("/rumah/luas", "range", parameters={"start": "10", "end": "200"}),
            ),
        ),
        ask("/kec", "select_one", choices=(Choice("lumbir", {"id": "Lumbir"}), Choice("wangon"))),
        ask("/desa", "select_one", choice_filter=says("kec = ${kec}", columns=True),
            choices=(Choice("cirahab", extra={"kec": "lumbir"}), Choice("banteran", {"id": "Banteran"}, {"kec": "wangon"}))),
        Item(
            "repeat", "anggota", "/anggota", label={"id": "Anggota"},
            items=(
                ask("/anggota/nama", required=says("position(..) = 1 or ${umur} > 5")),
                ask("/anggota/umur", "integer", constraint=says(". >= 0 and . < 130")),
                Item("group", "sekolah", "/anggota/sekolah", relevant=says("${umur} >= 6 and ${umur} <= 18"),
                     items=(ask("/anggota/sekolah/kelas", "integer", required=YES),)),
            ),
        ),
        ask("/jumlah", "calculate", calculation=says("count(${anggota})")),
        ask("/rata", "calculate", calculation=says("round(sum(${umur}) div ${jumlah}, 1)")),
        ask("/lahir", "date", constraint=says(". <= today()")),
        ask("/jam", "time"),
        ask("/tempat", "geopoint"),
        ask("/foto", "image", relevant=says("sum(${kelas}) > 0")),
    ),
)  # fmt: skip
GOOD: dict[str, Any] = {
    "/punya_rumah": "ya",
    "/rumah/lantai": ["tanah"],
    "/rumah/luas": 36,
    "/kec": "wangon",
    "/desa": "banteran",
    "/anggota": [
        {"/anggota/nama": "Sari", "/anggota/umur": 31},
        {"/anggota/nama": "Budi", "/anggota/umur": 9, "/anggota/sekolah/kelas": 3},
        {"/anggota/umur": 2},
    ],
    "/lahir": "1994-02-28",
    "/jam": "09:30:00.000+07:00",
    "/tempat": "-7.42 109.23 75 4.5",
    "/foto": "depan.jpg",
}


def test_good_answers_have_no_problems():
    assert check_answers(FORM, GOOD, now=NOW) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"/punya_rumah": None}, ["Punya rumah: Wajib diisi."]),
        ({"/punya_rumah": "tidak", "/rumah/lantai": ["emas"], "/rumah/luas": "x"}, []),
        ({"/rumah/lantai": []}, ["Lantai: Wajib diisi."]),
        ({"/rumah/lantai": ["tanah", "ubin"]}, ["Lantai: Tanah dan ubin tidak sekaligus."]),
        (
            {"/rumah/lantai": ["emas"]},
            ["Lantai: Pilihan “emas” tidak ada dalam daftar. Pilih salah satu dari daftar."],
        ),
        ({"/rumah/lantai": "tanah"}, ["Lantai: Pilihan tidak terbaca. Pilih ulang."]),
        ({"/rumah/luas": 500}, ["Luas: Isi antara 10 dan 200."]),
        (
            {"/kec": "lumbir"},
            ["Desa: Pilihan “Banteran” tidak cocok dengan jawaban lain. Pilih ulang."],
        ),
        (
            {"/anggota": [{"/anggota/umur": 200}]},
            [
                "Nama (ulangan 1): Wajib diisi.",
                "Umur (ulangan 1): Jawaban ini tidak memenuhi syarat.",
            ],
        ),
        ({"/anggota": [{"/anggota/nama": "A", "/anggota/umur": 7}]}, ["Kelas (ulangan 1): Wajib diisi."]),
        (
            {"/anggota": [{"/anggota/nama": "A", "/anggota/umur": 7.5, "/x": 1, "/anggota/sekolah/kelas": 1}]},
            [
                "Umur (ulangan 1): Isi dengan bilangan bulat, tanpa koma.",
                "/x (ulangan 1): Pertanyaan ini tidak ada pada versi formulir ini. Periksa versi formulirnya.",
            ],
        ),
        ({"/anggota": {"x": 1}}, ["Anggota: Bagian berulang ini tidak terbaca."]),
        ({"/lahir": "2027-01-01"}, ["Lahir: Jawaban ini tidak memenuhi syarat."]),
        ({"/lahir": "2026-02-30"}, ["Lahir: Isi tanggal yang ada, misalnya 2026-08-17."]),
        ({"/jam": "25:00"}, ["Jam: Isi jam, misalnya 09:30."]),
        ({"/tempat": "-97 109"}, ["Tempat: Isi lintang dan bujur, misalnya -7.42 109.23."]),
        ({"/foto": "../../etc/passwd"}, ["Foto: Nama berkas tidak boleh memuat garis miring."]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(change, expected):
    found = check_answers(FORM, {**GOOD, **change}, now=NOW)
    assert [str(problem) for problem in found] == expected


def test_what_is_reckoned():
    filled = Filled(FORM, GOOD, now=NOW)
    assert filled.reckoned("/jumlah") == 3.0
    assert filled.reckoned("/rata") == 14.0
    assert filled.nodes("/anggota/umur") == [31.0, 9.0, 2.0]
    assert filled.nodes("/anggota/umur", {"/anggota": 2}) == [9.0]
    assert filled.nodes("/anggota/sekolah/kelas") == ["", 3.0, ""]


def test_a_form_comes_back_from_json():
    kept = json.loads(json.dumps(FORM.as_json()))
    assert Definition.from_json(kept) == FORM
    assert [item.name for item in FORM.questions][:2] == ["punya_rumah", "lantai"]


ASK = """async ({definition, all, now}) => {
  const {Form} = await import("/form.js");
  return all.map((answers) => {
    const form = new Form(definition, answers, {now});
    const seen = {};
    for (const [path, item] of form.items) {
      const places = form.containers(path).map(([, at]) => at);
      seen[path] = [form.nodes(path), places.map((at) => [
        form.isRelevant(path, at), form.isRequired(item, at), form.fulfils(item, at),
        item.choices.length ? form.choices(item, at).map((choice) => choice.name) : [],
        item.calculation ? form.reckoned(path, at) : "",
      ])];
    }
    return seen;
  });
}"""


def seen_here(answers: dict[str, Any]) -> dict[str, Any]:
    filled = Filled(FORM, answers, now=NOW)
    seen: dict[str, Any] = {}
    for item in FORM.walk():
        places = [at for _container, at in filled.containers(item.path, {})]
        seen[item.path] = [
            filled.nodes(item.path),
            [
                [
                    filled.is_relevant(item.path, at),
                    filled.is_required(item, at),
                    filled.fulfils(item, at),
                    [choice.name for choice in filled.choices(item, at)],
                    filled.reckoned(item.path, at) if item.calculation else "",
                ]
                for at in places
            ],
        ]
    return seen


@pytest.mark.browser
def test_browsers_see_the_same_form(browser):
    rows = [{"/anggota/umur": 17}, {"/anggota/umur": "x"}]
    all_answers = [
        GOOD, {}, {**GOOD, "/punya_rumah": "tidak"}, {**GOOD, "/kec": "lumbir"}, {"/anggota": rows},
        {**GOOD, "/rumah/lantai": ["tanah", "ubin"]}, {"/lahir": "2030-01-01", "/jumlah": 7},
    ]  # fmt: skip
    page = module_page(browser)
    found = page.evaluate(ASK, {"definition": FORM.as_json(), "all": all_answers, "now": NOW})
    assert page.evaluate(
        "async () => (await import('/form.js')).localNow(new Date(0)).length"
    ) == len(NOW)
    page.close()
    for answers, theirs in zip(all_answers, found, strict=True):
        assert seen_here(answers) == theirs
