"""DNS messages made and read by hand: question, zone, rdata, answer, reply, framing.

datagram -> `question.read_question` -> `zone.locate` -> the pipeline resolves `zone.lookup_key` ->
`answer.encode_reply` -> datagram. Nothing here makes an object a record, so that a name node keeps
up with servers that do nothing else.
"""
