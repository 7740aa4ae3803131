"""`make bench`: what an answer costs, next to what it costs the best known servers of the kind.

Every figure of a node is taken in the same run as those of its peers, in turns, on the same cores
and with the same names: the ratio holds where the machine is noisy or unlike the one in the docs.
"""
