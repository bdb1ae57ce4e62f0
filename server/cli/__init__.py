"""The command line: one file for each subcommand, and the arguments that they take."""
