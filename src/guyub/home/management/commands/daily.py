"""``guyub daily``: all that has to be done once a day, in one command for cron or a timer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.connections import notices, partners, repeats, webhooks
from guyub.connections import services as connections
from guyub.discussions.mail import send_digests
from guyub.documents import keeping
from guyub.documents.mailing import send_due
from guyub.meetings import decisions
from guyub.obstacles import services as obstacles
from guyub.operations import backup, strays
from guyub.operations import services as operations
from guyub.overlaps import queries as overlap_queries
from guyub.overlaps import services as overlaps
from guyub.privacy import reminders as privacy_reminders
from guyub.reports.reminders import send_reminders
from guyub.retention import services as retention
from guyub.scorecard import services as scorecard

log = logging.getLogger(__name__)


def jobs() -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield the day's jobs with what each is called, in the order in which they run."""
    today = timezone.localdate()
    yield _("Keputusan yang lewat batas pengesahan"), lambda: len(decisions.escalate_overdue(today))
    yield _("Pengingat laporan"), lambda: sum(1 for _sent in send_reminders(today))
    yield _("Pengingat kendala"), obstacles.remind
    yield _("Pengingat pelindungan data"), privacy_reminders.remind
    yield (
        _("Tumpang tindih"),
        lambda: len([overlaps.reckon(year) for year in overlap_queries.years_in_work()]),
    )
    yield _("Kartu nilai"), lambda: len(scorecard.keep_due(today))
    yield _("Keutuhan jejak audit"), _check_chain
    yield _("Sisa pekerjaan lama"), operations.tidy
    yield _("Berkas tanpa catatan"), strays.remove
    yield _("Catatan pemakaian token"), connections.log_uses
    yield _("Jawaban API yang kedaluwarsa"), repeats.forget_old
    yield _("Kiriman kabar yang lama"), webhooks.forget_old
    yield _("Pemberitahuan mitra yang lama"), notices.forget_old
    yield _("Kunci mitra"), partners.renew_keys
    yield _("Pertanyaan laporan yang lama"), keeping.forget_questions
    yield _("Usulan pemusnahan data"), lambda: len(retention.propose(today))
    yield _("Cadangan"), backup.nightly
    yield _("Kiriman laporan"), lambda: send_due(today)
    # Last, so that the digest tells what the others brought.
    yield _("Rangkuman kabar"), lambda: send_digests()[1]


def _check_chain() -> int:
    found = operations.check_chain()
    if not found.is_sound:
        raise BrokenChainError(found.sequence)
    return found.checked


class BrokenChainError(Exception):
    """The audit log was tampered with; carries the number of the first event that shows it."""


class Command(BaseCommand):
    help = _("Mengerjakan semua tugas harian: pengingat, penerusan, hitungan, rangkuman.")

    def handle(self, *args: Any, **options: Any) -> None:
        failed = []
        for name, job in jobs():
            try:
                done = job()
            except Exception:
                # One job that fails must not keep the others from being done.
                log.exception("a daily job failed", extra={"job": str(name)})
                failed.append(name)
            else:
                self.stdout.write(f"{name}: {done}")
        operations.note_daily(failed)
        if failed:
            raise CommandError(_("Gagal: %(jobs)s.") % {"jobs": ", ".join(failed)})
