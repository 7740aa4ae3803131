"""From bytes to bytes, in one visible order.

admit (size, shape)  ->  packet cache  ->  decode  ->  sources  ->  encode  ->  packet cache keeps it

`sources` is the one resolve function that every protocol shares; the other modules are the front-ends.
"""
