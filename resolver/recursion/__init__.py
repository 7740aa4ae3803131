"""Source three of an answer: asking other nodes, from the root down.

`iteration` decides whom to ask: a conversation of `events`, without sockets. `budget` bounds it,
`targets` orders the servers of a site, `verdict` judges replies, `bailiwick` says what a referral
may claim, `trace` shows the steps; `driver` does what `iteration` asks for, keeps the answers and
joins identical questions.
"""
