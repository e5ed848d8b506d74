"""A page to work in: the patients of some records in the browser of this machine, and nowhere else.

It listens on 127.0.0.1 alone, is opened by an address that works once, loads nothing from anywhere, and writes only to the
folder `NAME.becalm` beside the records.
"""

__all__ = ["results", "serving", "workbench"]
