"""What waits to be sent to the service: all of it while the service takes it, the newest while it does not."""

import asyncio

from idiolect.daemon.clients.outbox import MAX_WAITING, Outbox

MANY = [*range(MAX_WAITING + 100)]


class Service:
    """Takes items, unless it is down."""

    def __init__(self) -> None:
        self.up = True
        self.taken = list[int]()

    async def take(self, item: int) -> bool:
        if self.up:
            self.taken.append(item)
        return self.up


def test_all_items_that_are_put_at_once_are_sent():
    service = Service()
    outbox = Outbox(service.take)
    outbox.put(*MANY)
    assert asyncio.run(outbox.send())
    assert service.taken == MANY


def test_the_newest_items_wait_while_the_service_is_down():
    async def scene():
        service = Service()
        outbox = Outbox(service.take)
        service.up = False
        outbox.put(*MANY)
        assert not await outbox.send()
        assert len(outbox) == MAX_WAITING
        outbox.put(-1, -2)
        assert len(outbox) == MAX_WAITING
        service.up = True
        assert await outbox.send()
        assert service.taken == [*MANY[-MAX_WAITING + 2 :], -1, -2]
        outbox.put(*MANY)
        assert len(outbox) == len(MANY)

    asyncio.run(scene())


def test_memory_is_bounded_before_anything_was_sent():
    outbox = Outbox(Service().take)
    for _ in range(100):
        outbox.put(*MANY)
    assert len(outbox) == 10_000
