"""One running application for each data directory: a second start hands its wish to the first."""
