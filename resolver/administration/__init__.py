"""Changing identifiers over any protocol: who asks, whether they may, and then the change.

service         what an identity may have done: the one place where rights are checked
verification    whether somebody holds the key they name
elsewhere       the same for keys that are kept on other nodes
far_records     records of other nodes that rights rest on
challenges      questions that wait for their answer
sessions        keys agreed upon with clients, counters, time-outs
session_service setting sessions up, and requests in them
tasks           what a native request can ask for
changing        the tasks that change identifiers
operations      the op codes of the native protocol as tasks for the service
context         where a request comes from
exchange        one native request and its reply
dialogue        challenge, answer, session, log-in: from a native request to its replies
certification   signatures of the node under its replies
web_login       who asks over HTTPS
web_sessions    the sessions of the JSON API
workers         threads for key derivation and signatures
desk            all of it put together for a node
refusing        how refusals are said
security_log    refused authentications, for those who watch
"""
