"""Tells of model calls where the SDK's call is wrapped (`calls/`)."""

from __future__ import annotations

from functools import cache, partial

from farthing.instrumentation.calls import Ended, ModelCall
from farthing.instrumentation.fingerprints.spans import Place, leave, place
from farthing.instrumentation.fingerprints.teller import Teller
from farthing.instrumentation.forms import Form, Reply, form_of

_STATE = "fingerprints"
TOLD = "fingerprints.told"
"""Where a call's state has the Told of its request, for observers after this one."""
REPLY = "fingerprints.reply"
"""Where it has what works out the attributes of its reply, once it has ended."""


class FingerprintObserver:
    """An Observer of `calls` that puts fingerprints on the model call's span."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller

    def before(self, call: ModelCall) -> None:
        """Say what the request tells."""
        form = form_of(call.library, call.operation, request=call.request)
        if form is not None:
            told = self._teller.request(form, call.request)
            call.state[TOLD] = told
            call.state[_STATE] = form, place(lambda: told.attributes, call.span)

    def after(self, call: ModelCall, ended: Ended) -> None:
        """Say what the reply tells, if the span still listens."""
        form_and_place: tuple[Form, Place] | None = call.state.pop(_STATE, None)
        if form_and_place is None:
            return
        form, made = form_and_place
        leave(made)
        reply = form.reply(ended.response) if ended.response else None
        if reply is None:
            reply = Reply(ended.reply or "")
        if form.may_be_kept:
            self._teller.remember(reply.asked)
        if reply.text:
            call.state[REPLY] = cache(partial(self._teller.reply, reply.text))
            made.add(call.state[REPLY])
