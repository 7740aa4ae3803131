"""What stands in a message's body: small codecs, each a NamedTuple with an encode and a decode.

Every decoder takes the body (behind the request digest, which `digest.split_digest` cuts off),
ignores octets behind what it reads, as peers do, and raises DecodeError with an offset into the
body.
"""
