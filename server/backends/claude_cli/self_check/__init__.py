"""The check of a version of the CLI: what it does, beside what this program relies on."""
