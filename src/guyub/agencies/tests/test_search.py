"""The directory answers the questions that people really ask."""

import pytest

from guyub.agencies.language import stems, synonyms, terms
from guyub.agencies.models import Agency
from guyub.agencies.queries import search
from guyub.agencies.services import load_agencies
from guyub.programs.services import load_programs

QUESTIONS = [
    ("siapa yang menangani perumahan?", "dinperkim"),
    ("rumah tidak layak huni", "dinperkim"),
    ("bedah rumah untuk warga miskin", "dinperkim"),
    ("RTLH", "dinperkim"),
    ("permukiman kumuh", "dinperkim"),
    ("siapa mengurus jamban dan sanitasi?", "dpu"),
    ("jalan rusak lapor ke mana?", "dpu"),
    ("air bersih desa", "dpu"),
    ("bantuan sosial untuk lansia", "dinsospermasdes"),
    ("bansos PKH belum cair", "dinsospermasdes"),
    ("penyandang disabilitas butuh kursi roda", "dinsospermasdes"),
    ("dana desa", "dinsospermasdes"),
    ("orang gila terlantar di jalan", "dinsospermasdes"),
    ("anak putus sekolah", "dindik"),
    ("beasiswa siswa miskin", "dindik"),
    ("di mana mengurus kejar paket C?", "dindik"),
    ("stunting", "dinkes"),
    ("balita gizi buruk", "dinkes"),
    ("keluarga berisiko stunting", "dppkbp3a"),
    ("KDRT", "dppkbp3a"),
    ("pernikahan dini", "dppkbp3a"),
    ("cari kerja", "dinnakerkopukm"),
    ("modal usaha mikro", "dinnakerkopukm"),
    ("pelatihan untuk pengangguran", "dinnakerkopukm"),
    ("pupuk bersubsidi untuk petani", "dinpertankp"),
    ("desa rawan pangan", "dinpertankp"),
    ("bantuan bibit kambing", "dinkannak"),
    ("budidaya lele", "dinkannak"),
    ("pedagang kaki lima", "dinperindag"),
    ("harga beras naik", "dinperindag"),
    ("belum punya KTP", "dindukcapil"),
    ("NIK ganda", "dindukcapil"),
    ("akta kelahiran anak", "dindukcapil"),
    ("banjir dan longsor", "bpbd"),
    ("kekeringan, butuh air", "bpbd"),
    ("sampah menumpuk", "dlh"),
    ("lampu penerangan jalan mati", "dinhub"),
    ("izin usaha warung", "dpmptsp"),
    ("perpustakaan keliling", "dinarpus"),
    ("anggaran hibah", "bkad"),
    ("keringanan pajak bumi", "bapenda"),
    ("dugaan penyelewengan bantuan", "inspektorat"),
    ("razia gelandangan", "satpolpp"),
    ("berapa angka kemiskinan?", "bps"),
    ("siapa mengoordinasikan penanggulangan kemiskinan?", "bappedalitbang"),
    ("musrenbang", "bappedalitbang"),
    ("zakat untuk mustahik", "baznas"),
    ("kartu BPJS tidak aktif", "bpjs-kesehatan"),
    ("desa wisata", "dinporabudpar"),
    ("walidata satu data", "dinkominfo"),
    ("rumah sakit umum", "rsud-banyumas"),
    ("dinkes", "dinkes"),
    ("Dinas Kesehatan Kabupaten Banyumas", "dinkes"),
    # Slips of the finger.
    ("siapa yg menangani perumhan", "dinperkim"),
    ("pendidkan", "dindik"),
    ("keshatan", "dinkes"),
    ("stuntting balita", "dinkes"),
    ("pertanain", "dinpertankp"),
    # English.
    ("who handles housing?", "dinperkim"),
    ("school dropouts", "dindik"),
    ("which agency is responsible for clean water?", "dpu"),
    ("social assistance for the elderly", "dinsospermasdes"),
    ("unemployment", "dinnakerkopukm"),
    ("where do I get a birth certificate", "dindukcapil"),
    ("floods", "bpbd"),
    ("help for farmers", "dinpertankp"),
    ("domestic violence", "dppkbp3a"),
]


@pytest.fixture
def directory(db):
    load_agencies()
    load_programs(2026)


@pytest.mark.parametrize(("question", "code"), QUESTIONS)
def test_the_first_agency_answers_the_question(directory, question, code):
    found = [match.agency.code for match in search(question).matches]
    assert found[:1] == [code], found[:4]


def test_the_match_tells_why(directory):
    match = search("siapa yang menangani perumahan?").matches[0]
    marked = {text.lower() for reason in match.reasons for text, hit in reason.parts if hit}
    assert marked & {"perumahan", "rumah"}
    labels = [str(reason.label) for reason in match.reasons]
    assert labels[0] in ("Urusan", "Nama")
    whole = "".join(text for text, _hit in match.reasons[0].parts)
    assert whole in match.agency.topics or whole == match.agency.name


def test_a_correction_is_told(directory):
    assert search("perumhan").corrections == [("perumhan", "perumahan")]
    assert search("perumahan").corrections == []


@pytest.mark.parametrize("question", ["", "???", "siapa yang menangani?", "dinas apa"])
def test_a_question_about_nothing_is_told_apart(directory, question):
    answer = search(question)
    assert answer.understood is False
    assert answer.matches == []


def test_a_question_that_nobody_answers_finds_nothing(directory):
    answer = search("xylophone zzyzx")
    assert answer.understood is True
    assert answer.matches == []


def test_inactive_agencies_are_not_found(directory):
    Agency.objects.filter(code="dinperkim").update(is_active=False)
    assert "dinperkim" not in [match.agency.code for match in search("RTLH").matches]


def test_search_reads_three_queries(directory, django_assert_num_queries):
    with django_assert_num_queries(3):
        assert search("perumahan").matches


def test_programs_are_searched_too(db, make_agency):
    from guyub.programs.models import Program

    Program.objects.create(agency=make_agency("dinx"), name="Program Payung Teduh", year=2026)
    assert [m.agency.code for m in search("payung").matches] == ["dinx"]


def test_an_overlong_question_is_cut(directory):
    assert search("rumah " * 5000).matches[0].agency.code == "dinperkim"


@pytest.mark.parametrize(
    ("word", "stem"),
    [
        ("perumahan", "rumah"),
        ("permukiman", "mukim"),
        ("pemukiman", "mukim"),
        ("menyalurkan", "salur"),
        ("penyaluran", "salur"),
        ("memadamkan", "padam"),
        ("pekerjaan", "kerja"),
        ("bekerja", "kerja"),
        ("pengangguran", "anggur"),
        ("kemiskinan", "miskin"),
        ("petani", "tani"),
        ("pelajar", "ajar"),
    ],
)
def test_affixes_come_off(word, stem):
    assert stem in stems(word)


def test_short_words_stay_whole():
    assert stems("ikan") == {"ikan"}
    assert stems("desa") == {"desa"}


def test_terms_leave_out_what_only_carries_the_question():
    assert [written for written, _meant in terms("Siapa yang menangani stunting di desa?")] == [
        "stunting",
        "desa",
    ]


def test_every_synonym_means_something_that_the_directory_knows(directory):
    """A synonym that leads nowhere is worse than none."""
    for asked in synonyms():
        assert search(" ".join(asked)).matches, asked
