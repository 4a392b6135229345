"""The seven yardsticks of working together, and the indicators that each is the mean of.

The yardsticks are those of the study of Banyumas, after the model of collaborative governance of Ansell
and Gash (2008), with openness of data added. ``docs/scorecard.md`` publishes every formula.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from guyub.scorecard import evidence as e
from guyub.scorecard import reconciled


@dataclass(frozen=True)
class Indicator:
    """One measure: what it is called, how it is reckoned in a sentence, and where its rows come from."""

    code: str
    name: Any
    formula: Any
    source: e.Source


@dataclass(frozen=True)
class Yardstick:
    code: str
    name: Any
    indicators: tuple[Indicator, ...]


YARDSTICKS = (
    Yardstick("dialog", _("Dialog tatap muka"), (
        Indicator("kepala-hadir", _("Kepala hadir dalam rapat"), _("Bagian undangan rapat yang dihadiri kepala; wakil bermandat dihitung setengah."), e.heads_present),
        Indicator("diputus-di-rapat", _("Sikap diambil di rapat"), _("Bagian persetujuan yang diperlukan sebuah keputusan yang diberikan di rapat, bukan menyusul."), e.decided_on_the_day),
    )),
    Yardstick("kepercayaan", _("Membangun kepercayaan"), (
        Indicator("mitra-bicara", _("Kontak di luar rapat"), _("Banyaknya perangkat daerah lain yang saling bicara dengannya, paling banyak lima."), e.contacts),
        Indicator("balasan", _("Kecepatan membalas"), _("Bagian pesan perangkat daerah lain yang dibalas dalam tiga hari."), e.replies),
    )),
    Yardstick("komitmen", _("Komitmen pada proses"), (
        Indicator("laporan", _("Laporan tepat waktu"), _("Bagian laporan kemajuan jatuh tempo yang diajukan sebelum batasnya."), e.reports_on_time),
        Indicator("tindak-lanjut", _("Tindak lanjut selesai"), _("Bagian tindak lanjut rapat jatuh tempo yang selesai sebelum batasnya dan menyebut apa yang dilakukan."), e.actions_done),
    )),
    Yardstick("pemahaman", _("Pemahaman bersama"), (
        Indicator("tumpang-tindih", _("Tumpang tindih diputuskan"), _("Bagian kasus tumpang tindih yang sudah diputuskan siapa memimpin."), e.overlaps_settled),
        Indicator("selaras", _("Program selaras"), _("Bagian sub kegiatan yang mendukung misi daerah dan menyebut sasarannya."), e.programs_aligned),
    )),
    Yardstick("hasil", _("Hasil antara"), (
        Indicator("target", _("Target indikator tercapai"), _("Bagian indikator yang realisasi terbarunya mencapai target."), e.targets_met),
        Indicator("p0", _("Kemiskinan menurun"), _("Penuh bila angka kemiskinan BPS terbaru turun, setengah bila tetap."), e.poverty_fell),
        Indicator("graduasi", _("Penerima graduasi"), _("Bagian penerima yang selesai karena graduasi."), e.graduated),
    )),
    Yardstick("komunikasi", _("Dinamika komunikasi"), (
        Indicator("masukan", _("Masukan tertulis"), _("Bagian undangan rapat yang dijawab dengan masukan tertulis sebelum rapat."), e.written_input),
        Indicator("suara", _("Sebaran suara"), _("Bagian minggu ketika sebuah perangkat daerah menyampaikan sesuatu; banyak pesan dalam seminggu dihitung sekali."), e.voices),
    )),
    Yardstick("keterbukaan", _("Keterbukaan data"), (
        Indicator("mutakhir", _("Data mutakhir"), _("Bagian dataset yang mutakhir; jatuh tempo dihitung setengah."), e.fresh_data),
        Indicator("permintaan", _("Permintaan data dipenuhi"), _("Bagian permintaan data yang diberikan tepat waktu; terlambat, atau ditolak dengan alasan, dihitung setengah."), e.requests_granted),
        Indicator("rekonsiliasi", _("Sumber direkonsiliasi"), _("Bagian perbedaan antarsumber yang selesai; yang diputuskan tetapi belum diperbaiki di daftarnya dihitung setengah."), reconciled.sources_reconciled),
    )),
)  # fmt: skip

INDICATORS = {
    indicator.code: indicator for yardstick in YARDSTICKS for indicator in yardstick.indicators
}
