"""The server's command line: its arguments, and one module for each subcommand."""
