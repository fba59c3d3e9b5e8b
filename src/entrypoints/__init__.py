"""Where programs start: the only code that reads the environment or knows every class."""
