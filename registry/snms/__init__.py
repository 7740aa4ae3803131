"""The API of second-node management systems (SNMS), for clients that were written for one.

Paths, members and status numbers are those of the published guide of such a system (version 5 of
its API); what is behind them is the registration that every other door leads to. A "template
version" there is the name of a template here.
"""
