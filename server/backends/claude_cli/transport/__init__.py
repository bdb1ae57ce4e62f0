"""One `claude` process: find it, start it, speak its protocol, end it."""
