"""The contract of `Monitor`: what a report does, and what comes back.

A test module gives the fixture `monitor`, which knows no session at first, and derives a class.
"""

from panel_session_monitor.application.app_ports import Monitor
from panel_session_monitor.domain.ids import ProcessId, SessionId
from panel_session_monitor.domain.report import Activity, Ending, Registration, Report
from panel_session_monitor.domain.session import EndReason, Process

from ..fakes.examples import a_process, session_id


def a_registration(number: int = 1, process: Process | None = None) -> Registration:
    """Return the news of a session that exists."""
    return Registration(
        session_id=session_id(number), app_name="sales", age=60.0, process=process or a_process()
    )


class MonitorContract:
    """What a monitor promises to a tracked app."""

    def test_a_session_that_is_registered_beats(self, monitor: Monitor) -> None:
        first = Report(process=a_process(), news=(a_registration(),))
        beat = Report(process=a_process(), session_ids=(session_id(),))

        replies = [monitor.report(each) for each in (first, beat, first, beat)]

        for reply in replies:
            found = (*reply.unknown, *reply.ended, *reply.refused, *reply.kill_requested)
            assert found == ()
            assert reply.heartbeat_interval > 0

    def test_what_is_not_known_is_told(self, monitor: Monitor) -> None:
        stranger = session_id(7)

        reply = monitor.report(
            Report(
                process=a_process(),
                session_ids=(stranger,),
                news=(Activity(session_id=stranger, running=True, task="Load"),),
            )
        )

        assert reply.unknown == (stranger,)

    def test_what_has_ended_is_told(self, monitor: Monitor) -> None:
        process, gone = a_process(), session_id()
        ending = Ending(session_id=gone, reason=EndReason.CLOSED)
        monitor.report(Report(process=process, news=(a_registration(), ending)))

        reply = monitor.report(Report(process=process, session_ids=(gone,)))

        assert reply.ended == (gone,)

    def test_one_bad_piece_of_news_does_not_hold_up_the_rest(self, monitor: Monitor) -> None:
        process = a_process()
        bad = Activity(session_id=session_id(1), running=True, task="Load", progress=2.0)
        good = a_registration(2)

        reply = monitor.report(Report(process=process, news=(a_registration(1), bad, good)))
        beats = monitor.report(Report(process=process, session_ids=(session_id(2),)))

        assert [each.session_id for each in reply.refused] == [session_id(1)]
        assert beats.unknown == ()

    def test_a_foreign_session_is_refused(self, monitor: Monitor) -> None:
        monitor.report(Report(process=a_process(1), news=(a_registration(1, a_process(1)),)))

        reply = monitor.report(
            Report(process=a_process(2), news=(Ending(session_id=session_id(1)),))
        )

        assert [each.session_id for each in reply.refused] == [session_id(1)]

    def test_a_report_may_name_ten_thousand_sessions(self, monitor: Monitor) -> None:
        many = tuple(SessionId(session_id(number)) for number in range(1, 10_001))

        reply = monitor.report(
            Report(process=Process(process_id=ProcessId(session_id(1))), session_ids=many)
        )

        assert set(reply.unknown) == set(many)
