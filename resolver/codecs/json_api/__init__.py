"""The JSON API of Handle servers: what requests under /api ask for, and the replies to them.

Requests and replies are bytes and text; sockets belong to the HTTP transport. Statuses and members
follow Handle.Net 9.3.1; texts are our own and name no internals.

request         one HTTP request to what it asks for
values_body     the values in the body of a PUT
authorization   who somebody says they are: Basic, Handle, names in certificates
reply           answers and refusals to HTTP replies
sessions        the replies of /api/sessions
cross_origin    what scripts of other sites may do
"""

from resolver.codecs.json_api.reply import Reply, Style, busy, encode, encode_site, too_large
from resolver.codecs.json_api.request import (
    Asked,
    Lookup,
    Request,
    SiteRequest,
    decode,
)

__all__ = [
    "Asked",
    "Lookup",
    "Reply",
    "Request",
    "SiteRequest",
    "Style",
    "busy",
    "decode",
    "encode",
    "encode_site",
    "too_large",
]
