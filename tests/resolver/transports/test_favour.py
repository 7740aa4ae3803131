"""Who goes first while there is more than can be answered; nobody is put off for nothing."""

from __future__ import annotations

import pytest

from resolver.transports.favour import LASTING, PART, WORTH_IT, Favour

BATCH = 64
#: What a batch costs in seconds: what is kept of it, and the rest.
KEPT, REST = 0.0001, 0.0012


class Server:
    """Serves batches, `kept` of each of which have a kept reply."""

    def __init__(self) -> None:
        self.now = 0.0
        self.favour = Favour(lambda: self.now)
        self.at_rest = 0.0

    def batch(self, kept: int, *, standing: bool = True, pressing: bool = True) -> bool:
        """Whether all of it was served."""
        self.favour.begin(standing, pressing)
        self.now += KEPT
        whole = kept == BATCH or self.favour.admits(kept, BATCH)
        if whole and kept < BATCH:
            self.now += REST
            self.at_rest += REST
        assert self.favour.declines is not whole
        self.favour.served()
        return whole


@pytest.fixture
def server() -> Server:
    return Server()


def test_the_others_have_their_part_of_the_time(server):
    for _ in range(2000):
        server.batch(8)
    assert server.at_rest / server.now == pytest.approx(PART, abs=0.05)


@pytest.mark.parametrize(("standing", "pressing"), [(False, False), (True, False)])
def test_nothing_is_put_off_where_there_is_time(server, standing, pressing):
    assert all(server.batch(8, standing=standing, pressing=pressing) for _ in range(100))


def test_nothing_is_put_off_where_hardly_anything_is_kept(server):
    rare = int(1 / WORTH_IT) * 2
    assert all(server.batch(number % rare == 0) for number in range(1000))


def test_it_ends_with_the_press(server):
    while server.batch(8):
        pass
    server.now += LASTING
    assert server.batch(8, pressing=False)
    assert server.batch(8, pressing=False)


def test_who_is_known_is_never_put_off(server):
    assert all(server.batch(BATCH) for _ in range(100))
    assert server.at_rest == 0
