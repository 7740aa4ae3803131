"""Changing identifiers over any protocol: who asks, whether they may, and then the change.

service         what an identity may have done: the one place where rights are checked
verification    whether somebody holds the key they name
elsewhere       the same for keys that are kept on other nodes
challenges      questions that wait for their answer
sessions        keys agreed upon with clients, counters, time-outs
operations      the op codes of the native protocol as tasks for the service
dialogue        challenge, answer, session, log-in: from a native request to its replies
certification   signatures of the node under its replies
security_log    refused authentications, for those who watch
"""
