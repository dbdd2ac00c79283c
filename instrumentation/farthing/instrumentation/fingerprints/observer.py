"""Tells of model calls where the SDK's call is wrapped (`calls/`)."""

from __future__ import annotations

from farthing.instrumentation.calls import Ended, ModelCall, Patient
from farthing.instrumentation.fingerprints.teller import Attributes, Replied, Teller
from farthing.instrumentation.forms import Form, form_of
from farthing.instrumentation.watching.later import Place, leave, place

_STATE = "fingerprints"
TOLD = "fingerprints.told"
"""Where a call's state has the Told of its request, for observers after this one."""
REPLY = "fingerprints.reply"
"""Where it has the Replied, once it has ended."""


class FingerprintObserver(Patient):
    """An Observer of `calls` that puts fingerprints on the model call's span."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller

    def attributes(self, call: ModelCall, ended: Ended) -> Attributes:
        """What request and reply tell."""
        form = form_of(call.library, call.operation, request=call.request)
        if form is None:
            return {}
        told = self._teller.request(form, call.request)
        return {**told.attributes, **self._replied(form, ended).attributes}

    def before(self, call: ModelCall) -> None:
        """Say what the request tells."""
        form = form_of(call.library, call.operation, request=call.request)
        if form is not None:
            told = self._teller.request(form, call.request)
            call.state[TOLD] = told
            call.state[_STATE] = form, place(told, call.span)

    def after(self, call: ModelCall, ended: Ended) -> None:
        """Say what the reply tells, if the span still listens."""
        form_and_place: tuple[Form, Place] | None = call.state.pop(_STATE, None)
        if form_and_place is None:
            return
        form, made = form_and_place
        leave(made)
        replied = self._replied(form, ended)
        call.state[REPLY] = replied
        made.add(replied)

    def _replied(self, form: Form, ended: Ended) -> Replied:
        replied = Replied(self._teller, form, ended)
        if form.may_be_kept:
            self._teller.remember(replied.reply.asked)
        return replied
