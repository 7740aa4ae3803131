"""The account of every change: the log, its one writer, its witnesses, and what checks it."""
