"""Signed records: HS_SIGNATURE and HS_CERT values, and the chains from them up to a trust root.

Pure: certificates that lie in other records are asked for by yielding their keys, and the time is
handed in. The formats are those of the Handle.Net library, protocol 2.11.
"""
