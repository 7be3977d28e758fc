"""Tables: found and decompressed, read in any dialect, checked column by column, divided into parts."""
