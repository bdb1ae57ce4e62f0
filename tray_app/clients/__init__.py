"""Programs that can use this server, how each is told where it is, and the changes to their configuration files.

client.py      what is known of a client; connection.py: what it has to be told
catalogue/     the clients, one file for each
editing/       pure: changes to JSON with comments, TOML and YAML that leave everything else as it is
config_file.py reads and writes a client's file, with a backup; backups.py keeps those
configuring.py pure: whether a client is configured, and the text of its file when it is
detection.py   whether a client is on this computer
connection_test.py  one real request in a client's dialect
errors.py      what can be wrong with a file, in words
"""
