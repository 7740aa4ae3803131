"""From bytes to bytes, in one visible order.

packet cache  ->  decode  ->  sources  ->  encode  ->  packet cache keeps it  ->  reflection bound

`sources` is the one resolve function that every protocol shares; the other modules are front-ends.
"""
