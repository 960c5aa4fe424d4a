"""Did it stay right? Tell them, and learn."""
