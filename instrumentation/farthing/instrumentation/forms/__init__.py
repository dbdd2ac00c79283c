"""The forms in which providers take a conversation: one file per form.

A form says what is new since the model last spoke, what the prompt's stable prefix is,
how long an answer may be, and how a message is added. Nothing here changes what the
caller holds: lists are replaced, never appended to. Readers of a form take mappings and
the SDKs' own objects alike, and consume no iterator.
"""

from __future__ import annotations

from farthing.instrumentation.forms.find import form_of
from farthing.instrumentation.forms.turn import (
    Asked,
    Form,
    Given,
    Reply,
    Spoken,
    Turn,
    newest,
)

__all__ = ["Asked", "Form", "Given", "Reply", "Spoken", "Turn", "form_of", "newest"]
