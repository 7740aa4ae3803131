"""The Handle protocol's messages (RFC 3652 as protocol 2.11 speaks it), without sockets or clocks.

versions      which of two protocol versions is older, and what is spoken with a peer
codes         op codes and response codes with their names
envelope      the 20 octets in front of every packet
header        the 24 octets in front of every body, and the op flags
message       envelope, header, body and credential together
bodies        what stands in the body, one codec for each kind
credential    the signature or MAC behind the body, and the octets it covers
asking        the client's side: a question, and the answer in its reply
keyed_digest  digests under a secret, PBKDF2 among them
answers       what proves a secret key or private key when challenged
signing       replies certified with the site's key
key_exchange  how a session comes to its key
protection    MAC and encryption of a session's messages
reply         the message that answers a request
fragments     a message over several datagrams, and back
framing       messages out of a TCP stream
fast          plain resolution requests and their replies with few objects
describe      a message taken apart into JSON for people
"""
