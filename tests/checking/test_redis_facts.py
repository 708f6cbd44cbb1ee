from stream_app.checking.findings import Level
from stream_app.checking.redis_facts import judged
from stream_app.state.server import ServerReport


def report(*, can_save: bool) -> ServerReport:
    return ServerReport(
        address="redis:6379",
        version="7.4",
        maxmemory_bytes=0,
        used_memory_bytes=1_000_000,
        append_only=True,
        can_save=can_save,
    )


def test_a_redis_whose_disk_is_full_is_to_be_mended() -> None:
    levels = [finding.level for finding in judged(report(can_save=False))]
    assert levels == [Level.FINE, Level.MEND]
    assert [finding.level for finding in judged(report(can_save=True))] == [Level.FINE]
