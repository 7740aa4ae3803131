"""Reporting enterprises and their prefixes to the national node, and what that does with it.

commands     what a sector node sends, and the replies: EPP in JSON
signature    how it proves who it is
national     the national node's side
"""
