"""Synthetic names as they are given around Banyumas, by sex and generation."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# One-word names of the old are often a stem and an ending.
_STEMS = "Kar Dar Sar Tar War Nar Mar".split()
_OLD_MEN = [
    stem + end
    for end in "siman sono yono wan sito sun tam min man di no jo".split()
    for stem in _STEMS
]
_OLD_WOMEN = [
    stem + end
    for end in "sinah siti siyah tinem tini sinem miyati yati sem tem kem".split()
    for stem in _STEMS
]

FIRST = {
    ("M", "old"): """Tukiman Sukirman Wagiman Ngadiman Poniman Legiman Slamet Suparjo Sutarjo Sugeng
        Suwarno Sumarno Sudarmo Suharjo Sudiro Sadiyo Rasim Rasiman Kasman Kasmuri Madsuki Madrusdi
        Sanmukri Sanwirya Sanmarto Miarja Tasirun Wiryo Karyo Darmo Tarmo Samsuri Rusdi Muhdirin
        Mukhson Dulmanan Kadirun Daslam Dirun Ponijan Pairin Ngalimin Kusworo Suratman Sukardi
        Sumardi Supardi Sunardi Sutrisno Suyatno Suyitno Mulyono Mujiono Muhyidin Ratim Ratiman
        Tumin Tusino Wasito Wakhid Wartim Yasmiarja Yatiman Nurkholis Jumadi Kuswanto Sakimin
        Sakirun Salimin Sanusi""".split()
    + _OLD_MEN,
    ("M", "middle"): """Agus Bambang Budi Eko Dwi Tri Joko Heri Hari Yanto Supriyanto Sugiarto
        Sutarno Suwito Sunarto Sutikno Sudarto Susanto Wahyudi Wahyu Teguh Tarsono Triyono Turiman
        Untung Warsito Imam Ikhsan Jamaludin Khamim Kholidin Kuswoyo Lukman Makmun Marsono Mugiono
        Muhtar Nasirun Ngadimin Nurhadi Nur Purwanto Puji Rohmat Rokhman Rudi Rusmanto Saefudin
        Saifudin Sahid Salim Sarjono Siswanto Slamet Solikhin Suharno Suparman Supriyadi Suroso
        Sutaryo Sutrisno Suyanto Taufik Tofik Tohirin Toto Wardoyo Wasis Wawan Yudi Yulianto Yusuf
        Zaenal Zaenudin Aris Ari Andi Arif Arifin Basuki Catur Darmanto Dedi Edi Didik Fajar Feri
        Giyanto Hadi Hartono Hendro Iwan Kasno Kusno Ahmad Achmad Akhmad Abdul""".split(),
    ("M", "young"): """Rizky Rizki Riski Aditya Adit Bagas Dimas Fajar Galang Gilang Ilham Irfan
        Iqbal Kevin Krisna Lutfi Luthfi Maulana Naufal Nanda Panji Rafa Rafi Raffi Raka Rangga
        Rendi Reza Rifki Rifqi Rian Ryan Satria Sultan Syahrul Tegar Vino Wahyu Yoga Yusuf Yudha
        Zidan Zaki Akbar Alfian Alif Andika Angga Anggit Arya Azka Bayu Bima Candra Danang Daffa
        Deni Dika Dwi Eko Farel Farhan Fauzan Febri Ferdi Fikri Fahri Ghani Hafidz Hafiz Hanif
        Ibnu Ikhsan Ivan Jefri Khoirul Latif Miftah Nizar Nur Okta Prayoga Puguh Rahmat Ridho
        Ridwan Rival Rohman Sandi Septian Tri Abdul Abid Adnan Agung""".split(),
    ("F", "old"): """Wagiyem Tukinem Tumini Sarinem Painem Ponirah Ngadinem Kasmini Rasinem Rasem
        Sukinah Sumirah Suminah Sutirah Sutinah Saminah Samirah Sariyah Musringah Khotimah Chotimah
        Khomsiyah Juminah Kusmirah Misem Rusmini Turiyah Tursinah Wasirah Yatinem Sikem Radem
        Dainah Daikem Kamini Kaminah Satinah Satiyem Mujinah Mujirah Partinem Partini Ruminah
        Rumsiyah Rohyati Sopiyah Mursiyah Muslimah Mutmainah Sutarmi Suwarni Sumarni Surtini
        Suparmi Supriyati Sukesi Surati Siyem Legiyem Poniyem Paijah Paikem Wasinah Watem Wakinah
        Ratinah Roliyah Romlah Maryam Maimunah Mundiyah Munjiyah Tasem Tasmini Tumirah Tuminah
        Jariyah Jumiyati Kusniyah""".split()
    + _OLD_WOMEN,
    ("F", "middle"): """Sri Siti Endang Eni Eny Dwi Tri Titi Titin Tuti Tutik Yuni Yuliana Yuliati
        Wiwit Wiwik Wahyuni Wati Umi Umiyati Tarsiyah Tarwiyah Susi Susanti Suyatmi Sutini Supriyati
        Sumiati Sulastri Sugiarti Sudarti Suciati Suci Sofiatun Solikhah Sholihah Rusmiyati Ruswati
        Rumiyati Rohmah Rokhayah Riyanti Ratna Ratih Rahayu Puji Purwanti Partiyah Nurul Nur
        Nurhayati Nuryati Ngatinah Muniroh Mujiati Muslikhah Mei Maryati Marfuah Lilis Lestari
        Kusmiyati Kusniati Khasanah Khotijah Kasiyati Karniti Juwariyah Istiqomah Isti Indah Ida
        Haryati Hartati Haniah Fitri Fatimah Fatonah Eka Dewi Desi Daryati Darwati Daliyah Chomsatun
        Catur Betty Badriyah Atun Asih Aminah Anisah Ani""".split(),
    ("F", "young"): """Aisyah Alya Amelia Anisa Annisa Anggun Aulia Ayu Azzahra Bunga Cahya Cindy
        Citra Dea Della Devi Dewi Diah Dian Dina Dinda Dwi Eka Elsa Erika Eva Fadila Fanny Farah
        Fatimah Febi Fitri Fitria Gita Hana Hani Hasna Ika Ikfina Indah Intan Isna Jihan Khansa
        Khoirunnisa Khusnul Kirana Laila Laili Latifah Lia Lina Lulu Lutfiana Maulida Maya Mei
        Melani Mutia Nabila Nadia Nadya Naila Najwa Nayla Nia Nisa Novi Novita Nur Nurul Okta
        Puput Putri Putry Qonita Rahma Rani Ratna Resti Retno Rika Rina Risa Riska Rizka Salma
        Salsabila Septi Shinta Silvi Siti Syifa Tasya Tia Tiara Tri Ulfa Umi Vina Wulan Yulia Zahra
        Zahwa""".split(),
}
SECOND = {
    ("M", "old"): """Sumarto Suwarjo Sudarmo Martono Karyono Diharjo Miharja Sumedi Hadi Rejo
        Wiharjo Mukri Sukarto Sobari Mustofa Dimejo Wikarta Sutomo Atmo Reja Wirya Samsudin Suwito
        Sanusi Kusno""".split(),
    ("M", "middle"): """Riyadi Riyanto Santoso Setiawan Setyawan Supriyanto Susilo Susanto Sutrisno
        Prasetyo Prasetya Priyono Purnomo Purwanto Raharjo Mulyono Mulyanto Nugroho Nurhidayat
        Hidayat Hidayatullah Handoko Hariyanto Haryanto Hartono Hartanto Kurniawan Kuncoro Rahman
        Rokhman Rohman Rochman Sasongko Sodikin Sidik Subekti Subagyo Sugiarto Suryanto Sutopo
        Triyanto Utomo Wahono Wahyono Waluyo Wibowo Widodo Wijaya Winarno Wiyono Yulianto Basuki
        Cahyono Fauzi Ghofur Hakim Karim Kholik Aziz Azis Muin Rosyid Salam Hamid Majid""".split(),
    ("M", "young"): """Pratama Prasetyo Prasetya Saputra Saputro Ramadhan Ramadan Ramadhani Maulana
        Nugroho Nugraha Hidayat Kurniawan Setiawan Firmansyah Hermawan Wijaya Wicaksono Wibowo
        Santoso Permana Purnama Pamungkas Putra Perdana Fadhilah Fauzi Febrian Ardiansyah Alfarizi
        Alfatih Aprilianto Arifin Aziz Bachtiar Darmawan Dwi Efendi Fadillah Ghifari Hakim
        Ibrahim Irawan Ismail Jati Kusuma Laksono Mubarok Mustofa Nur Oktavian Rahman Rifai Rohman
        Romadhon Sanjaya Septiawan Subekti Syaputra Triyanto Utama Wahyudi Yulianto
        Zulfikar""".split(),
    ("F", "old"): """Sumarni Suwarni Rohmah Khasanah Sutarmi Daryati Lestari Rahayu Asih Aminah
        Fatonah Sulastri Hartini Wagiyah Mulyati Kartini Marsih""".split(),
    ("F", "middle"): """Wahyuni Rahayu Lestari Hartati Haryati Handayani Astuti Asih Aminah Amanah
        Fatimah Fatonah Khotimah Khasanah Chasanah Hasanah Maryati Maryani Mulyani Mulyati Munawaroh
        Nurhayati Nurjanah Ningsih Purwanti Purwati Pujiati Rohayati Rohmah Rokhmah
        Rukmini Rusmini Sulastri Sumarni Suryani Susilowati Susanti Setyowati Sulistyowati Utami
        Wulandari Winarsih Windarti Wijayanti Yuliati Yuniarti Zulaikha Barokah Badriyah Fauziah
        Hidayati Indriyani Kurniasih Kusumawati Murniati Rofiah Sofiah Umayah""".split(),
    ("F", "young"): """Lestari Ramadhani Ramadani Rahmawati Rohmawati Wulandari Permatasari
        Puspitasari Puspita Pratiwi Putri Safitri Sapitri Saputri Salsabila Sari Setyaningsih
        Oktaviani Novitasari Nuraini Ningrum Ningtyas Maharani Maulida Maisaroh Lutfiana
        Laelatul Kusuma Khasanah Kamila Kirana Indriani Hidayah Handayani Hasanah Fitriani Fauziah
        Fadilah Dewi Damayanti Cahyani Aprilia Anggraini Anggraeni Amalia Aulia Azizah
        Azzahra Astuti Agustina Utami Yuliana Zahra Zahrani""".split(),
}
# What often stands before a name, in the spellings that cards and lists use side by side.
PREFIX = {
    "M": "Muhammad Muhamad Mohammad Mohamad Moh. M. Muhammad Ahmad Achmad Akhmad Muh.".split(),
    "F": "Siti Sri Nur Siti Nurul Dwi Tri Endang".split(),
}
GENERATIONS = ("old", "middle", "young")
_GROUPS = [(sex, generation) for sex in "MF" for generation in GENERATIONS]
# By group: the share that has a prefix, a second name, and a third.
_PREFIXED = np.array([0.02, 0.06, 0.20, 0.04, 0.16, 0.08])
_SECOND = np.array([0.18, 0.66, 0.95, 0.15, 0.68, 0.96])
_THIRD = np.array([0.0, 0.02, 0.30, 0.0, 0.02, 0.32])


class _Vocabulary:
    """Words of several groups in one Arrow array, drawn so that the first words are commoner."""

    def __init__(self, words: list[list[str]]) -> None:
        self.words = pa.array([word for group in words for word in group])
        self.size = np.array([len(group) for group in words])
        self.start = np.concatenate([[0], np.cumsum(self.size)[:-1]])

    def draw(self, group: np.ndarray, rng: np.random.Generator, keep: np.ndarray) -> pa.Array:
        """Return a word for each entry of ``group``; null where ``keep`` is false."""
        within = (self.size[group] * rng.random(len(group)) ** 1.35).astype(np.int32)
        at = pa.array((self.start[group] + within).astype(np.int32), mask=~keep)
        return self.words.take(at)


def _shuffled(words: list[str]) -> list[str]:
    # Else the commonest names would all begin with the same letter or stem.
    return list(np.random.default_rng(len(words)).permutation(words))


_FIRST = _Vocabulary([_shuffled(FIRST[group]) for group in _GROUPS])
_SECOND_WORDS = _Vocabulary([_shuffled(SECOND[group]) for group in _GROUPS])
_PREFIX = _Vocabulary([PREFIX[sex] for sex in "MF"])


def draw_names(female: np.ndarray, birth_year: np.ndarray, rng: np.random.Generator) -> pa.Array:
    """Return one name per entry. ``female`` is boolean; ``birth_year`` decides the generation."""
    generation = np.digitize(birth_year, [1964, 1995])
    group = female * len(GENERATIONS) + generation
    everyone = np.ones(len(group), dtype=bool)
    prefixed = rng.random(len(group)) < _PREFIXED[group]
    has_second = rng.random(len(group)) < _SECOND[group]
    has_third = has_second & ~prefixed & (rng.random(len(group)) < _THIRD[group])
    first = _FIRST.draw(group, rng, everyone)
    second = _SECOND_WORDS.draw(group, rng, has_second)
    third = _SECOND_WORDS.draw(group, rng, has_third)
    prefix = _PREFIX.draw(female.astype(np.int8), rng, prefixed)
    # "Siti Siti" and "Rahman Rahman" are nobody's name.
    prefix = pc.if_else(pc.fill_null(pc.equal(prefix, first), False), None, prefix)
    second = pc.if_else(pc.fill_null(pc.equal(second, first), False), None, second)
    third = pc.if_else(pc.fill_null(pc.equal(third, second), False), None, third)
    third = pc.if_else(pc.fill_null(pc.equal(third, first), False), None, third)
    return pc.binary_join_element_wise(prefix, first, second, third, " ", null_handling="skip")
