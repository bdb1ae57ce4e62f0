"""Client programs, their settings, and changes of their configuration files.

client.py      the description of a client; connection.py: the server's address, key and model for it
catalogue/     the clients, one file for each
editing/       pure: changes of JSON with comments, TOML and YAML that preserve everything else
config_file.py reading and writing of a client's file; backups.py: the files before each change
configuring.py pure: the state of a client's file, and its text once it is configured
detection.py   whether a client is installed on this computer
connection_test.py: one real request in a client's dialect
errors.py      errors of a client's file
"""
