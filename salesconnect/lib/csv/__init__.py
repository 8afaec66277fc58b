"""CSV in and out: files that a spreadsheet opens without harm, and files of any make read in constant memory.

What `line` writes `open_table` reads back unchanged, guards against formulas included.
"""

from salesconnect.lib.csv.table import FileRefused, RowError, Table, open_table
from salesconnect.lib.csv.writing import BOM, PHONE, line, safe_cell, unsafe_cell

__all__ = ["BOM", "PHONE", "FileRefused", "RowError", "Table", "line", "open_table", "safe_cell", "unsafe_cell"]
