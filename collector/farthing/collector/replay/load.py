"""Recorded requests straight into a ledger that no collector owns."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from farthing.collector.receive.otlp import check_request
from farthing.collector.replay.send import Sent
from farthing.collector.store.ledger import Ledger
from farthing.errors import BadPayload

_BATCH_BYTES: Final = 24 << 20


def load(
    requests: Iterable[bytes],
    ledger: Ledger,
    progress: Callable[[Sent], None],
    *,
    after_load: Callable[[str], None],
) -> Sent:
    """Load every request; the same requests in the same order count once.

    `after_load` is called with the name of each batch, as the collector's loader does.

    Raises Refused and StoreUnavailable as the store does, BadPayload for a request
    that is none, after those before it were loaded.
    """
    loaded = Sent()
    for batch in _batches(requests):
        digest = hashlib.blake2b(digest_size=16)
        for request in batch:
            digest.update(request)
        name = f"replay:{digest.hexdigest()}"
        ledger.load(name, batch)
        after_load(name)
        spans = sum(check_request(request).spans for request in batch)
        loaded += Sent(spans, len(batch))
        progress(loaded)
    return loaded


def _batches(requests: Iterable[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    broken = None
    try:
        for request in requests:
            if batch and size + len(request) > _BATCH_BYTES:
                yield batch
                batch, size = [], 0
            batch.append(request)
            size += len(request)
    except BadPayload as error:
        broken = error
    if batch:
        yield batch
    if broken is not None:
        raise broken
