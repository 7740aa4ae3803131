"""The JSON form of a site."""

from __future__ import annotations

from typing import Final

from registry.errors import DecodeError
from registry.values.json_members import MAX_U32, Members, octets_from_base64, octets_to_base64
from registry.values.key import (
    decode_public_key,
    encode_public_key,
    public_key_from_json,
    public_key_to_json,
)
from registry.values.site import (
    ADMIN,
    HASH_ALL,
    MULTI_PRIMARY,
    PRIMARY,
    QUERY,
    Attribute,
    Interface,
    Server,
    Site,
    address_octets,
)

_PROTOCOLS: Final = ("UDP", "TCP", "HTTP", "HTTPS")
_PROTOCOL_NUMBERS: Final = {name: number for number, name in enumerate(_PROTOCOLS)}
_MAX_U8, _MAX_U16 = 0xFF, 0xFFFF


def site_to_json(site: Site, *, signed_serial: bool = False) -> dict[str, object]:
    """The JSON form of a site.

    `signed_serial`: peers show the serial number of a site as a signed 16-bit number inside a value
    (65535 is -1) and unsigned everywhere else. The hash option is left out when it is HASH_ALL, an
    empty hash filter too. Raises UnicodeDecodeError for text that is not UTF-8.
    """
    serial = site.serial_number
    form: dict[str, object] = {
        "version": site.version,
        "protocolVersion": "{}.{}".format(*site.protocol),
        "serialNumber": serial - 0x10000 if signed_serial and serial & 0x8000 else serial,
        "primarySite": site.primary,
        "multiPrimary": site.multi_primary,
    }
    if site.hash_option != HASH_ALL:
        form["hashOption"] = site.hash_option
    if site.hash_filter:
        form["hashFilter"] = site.hash_filter.decode()
    form["attributes"] = [
        {"name": attribute.name.decode(), "value": attribute.value.decode()}
        for attribute in site.attributes
    ]
    form["servers"] = [_server_to_json(server) for server in site.servers]
    return form


def _server_to_json(server: Server) -> dict[str, object]:
    return {
        "serverId": server.server_id,
        "address": server.address,
        "publicKey": _key_to_json(server.public_key),
        "interfaces": [
            {
                "query": interface.query,
                "admin": interface.admin,
                "protocol": _PROTOCOLS[interface.protocol]
                if interface.protocol < len(_PROTOCOLS)
                else interface.protocol,
                "port": interface.port,
            }
            for interface in server.interfaces
        ],
    }


def _key_to_json(data: bytes) -> dict[str, object]:
    try:
        return {"format": "key", "value": public_key_to_json(decode_public_key(data))}
    except DecodeError:
        return {"format": "base64", "value": octets_to_base64(data)}


def site_from_json(members: Members) -> Site:
    """The site in a JSON form; the serial number may be signed or unsigned. Raises InvalidValue."""
    flags = PRIMARY * members.flag("primarySite", False) | MULTI_PRIMARY * members.flag(
        "multiPrimary", False
    )
    return Site(
        servers=tuple(map(_server_from_json, members.objects("servers"))),
        attributes=tuple(
            Attribute(one.text("name").encode(), one.text("value").encode())
            for one in members.objects("attributes", [])
        ),
        serial_number=members.number("serialNumber", -0x8000, _MAX_U16, 0) & _MAX_U16,
        flags=flags,
        hash_option=members.number("hashOption", 0, _MAX_U8, HASH_ALL),
        hash_filter=members.text("hashFilter", "").encode(),
        protocol=_protocol_version(members),
        version=members.number("version", 0, _MAX_U16, 1),
    )


def _protocol_version(members: Members) -> tuple[int, int]:
    major, dot, minor = members.text("protocolVersion", "2.11").partition(".")
    numbers = [int(part) for part in (major, minor) if part.isascii() and part.isdigit()]
    if not dot or len(numbers) != 2 or max(numbers) > _MAX_U8:
        raise members.refuse("protocolVersion", "a version such as 2.11 is expected")
    return numbers[0], numbers[1]


def _server_from_json(members: Members) -> Server:
    address = members.text("address")
    try:
        address_octets(address)
    except ValueError:
        raise members.refuse("address", "an IPv4 or IPv6 address is expected") from None
    return Server(
        server_id=members.number("serverId"),
        address=address,
        public_key=_key_from_json(members),
        interfaces=tuple(map(_interface_from_json, members.objects("interfaces"))),
    )


def _key_from_json(members: Members) -> bytes:
    key = Members(members.get("publicKey"), members.at("publicKey"))
    if key.text("format") == "key":
        return encode_public_key(public_key_from_json(Members(key.get("value"), key.at("value"))))
    if key.text("format") != "base64":
        raise key.refuse("format", "key or base64 is expected")
    try:
        return octets_from_base64(key.text("value"))
    except ValueError:
        raise key.refuse("value", "not base64") from None


def _interface_from_json(members: Members) -> Interface:
    kind = QUERY * members.flag("query") | ADMIN * members.flag("admin")
    return Interface(kind, _interface_protocol(members), members.number("port", 0, MAX_U32))


def _interface_protocol(members: Members) -> int:
    protocol = members.get("protocol")
    if not isinstance(protocol, str):
        return members.number("protocol", 0, _MAX_U8)
    if protocol not in _PROTOCOL_NUMBERS:
        raise members.refuse("protocol", f"one of {', '.join(_PROTOCOLS)} is expected")
    return _PROTOCOL_NUMBERS[protocol]
