"""Settings, the settings file, and the places where files are kept."""
