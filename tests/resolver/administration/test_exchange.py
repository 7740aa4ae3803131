"""What the reply to one request repeats, and which codes it uses."""

from __future__ import annotations

import pytest

from registry.errors import PrefixQuotaSpent, Refusal, RegistrationQuotaSpent, RequestQuotaSpent
from registry.rights import bootstrap_administrator
from resolver.administration.context import TCP, Context
from resolver.administration.exchange import Exchange
from resolver.administration.tasks import Part
from resolver.codecs.handle.bodies.resolution import decode_error, encode_error
from resolver.codecs.handle.codes import OpCode
from resolver.codecs.handle.message import Message


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (RequestQuotaSpent("88.901.7", 1000, 60), 603),
        (RegistrationQuotaSpent("88.901.7", 10), 604),
        (PrefixQuotaSpent("88.901.7", 1), 605),
    ],
)
def test_spent_quotas_are_told_in_their_own_codes_to_who_logged_in(refusal: Refusal, code: int):
    context = Context("127.0.0.1", TCP)
    request = Message(OpCode.CREATE_HANDLE)
    part = Part(encode_error(str(refusal)), refusal.outcome.handle)
    busy = Exchange(request, context).message(part, serial=1, now=0)
    context.login = bootstrap_administrator("88.901")
    told = Exchange(request, context).message(part, serial=1, now=0)
    assert (busy.response_code, told.response_code) == (3, code)
    assert decode_error(busy.body) == decode_error(told.body) == str(refusal)
