"""The door for the queue: takes work, calls the room's verb, tries again when the outside had trouble."""
