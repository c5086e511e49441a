"""What can be taken out as a file: tables, their columns, and the lines of CSV. Read only."""
