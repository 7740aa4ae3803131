"""Reaching a server that is to be administered: over TCP or HTTP, as whom, and proved how."""

from __future__ import annotations

from enum import Enum
from functools import partial

from registry.clock import Clock
from registry.values.site import Site, decode_site
from resolver.client.administration import Administration
from resolver.client.channel import Channel, TcpChannel
from resolver.client.conversation import Conversation
from resolver.client.endpoint import Endpoint, key_at, server_key
from resolver.client.keys import AdministratorKey
from resolver.client.session import set_up_session
from resolver.codecs.handle.bodies.administration import encode_handle
from resolver.codecs.handle.bodies.authentication import Login, encode_login
from resolver.codecs.handle.codes import OpCode
from resolver.codecs.handle.header import RD
from resolver.transports.outbound import Silent, Unreachable
from resolver.transports.tunnel_client import Tunnel


class Mode(Enum):
    """How a key is proved: once for a session, with each request, once for a connection.

    The last is the log-in of the CAICT clients; servers of others do not know it.
    """

    SESSION = "session"
    CHALLENGE = "challenge"
    LOGIN = "login"


async def open_administration(
    endpoint: Endpoint,
    key: AdministratorKey | None,
    mode: Mode,
    clock: Clock,
    *,
    in_flight: int,
    seconds: float,
    encrypted: bool = False,
) -> Administration:
    """A server, with the key proved where that is done beforehand. Raises ExchangeFailed, Denied.

    Without a public key in the endpoint, the one that the server itself names is believed.
    """
    channel, site = await _reach(endpoint, clock, seconds)
    try:
        new_session = None
        if key is not None and mode is Mode.SESSION:
            server = server_key(key_at(site, endpoint))
            new_session = partial(
                set_up_session, channel, key, server, clock, seconds, encrypted=encrypted
            )
        conversation = Conversation(channel, clock, key, in_flight, seconds, new_session)
        await conversation.session()
        if key is not None and mode is Mode.LOGIN:
            body = encode_login(Login(key.handle.encode(), key.index))
            await conversation.ask(OpCode.IDIS_LOGIN_KEY, body, lambda _: None, RD)
    except BaseException:
        await channel.close()
        raise
    return Administration(conversation, site)


async def ask_site(endpoint: Endpoint, clock: Clock, seconds: float) -> Site:
    """The site that a server belongs to, in its own words. Raises ExchangeFailed, Denied."""
    channel, site = await _reach(endpoint, clock, seconds)
    await channel.close()
    return site


async def _reach(endpoint: Endpoint, clock: Clock, seconds: float) -> tuple[Channel, Site]:
    """The first way to the server on which it says who it is."""
    channels: list[Channel] = [TcpChannel(endpoint.host, endpoint.port)]
    if endpoint.http is not None:
        channels.append(Tunnel(endpoint.host, endpoint.http))
    failure: Silent | Unreachable = Unreachable("no server to ask")
    for channel in channels:
        try:
            return channel, await _site(channel, clock, seconds)
        except (Silent, Unreachable) as failed:
            await channel.close()
            failure = failed
        except BaseException:
            await channel.close()
            raise
    raise failure


async def _site(channel: Channel, clock: Clock, seconds: float) -> Site:
    sites: list[Site] = []
    conversation = Conversation(channel, clock, None, 1, seconds)
    await conversation.ask(
        OpCode.SITE_INFO, encode_handle(b"/"), lambda body: sites.append(decode_site(body))
    )
    return sites[0]
