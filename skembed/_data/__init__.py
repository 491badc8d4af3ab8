"""Tables read: columns, tokens, numbers, equal rows. Imports no other folder."""
