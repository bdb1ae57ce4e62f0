"""Settings, the settings file, the command line's options, and the paths of files."""
