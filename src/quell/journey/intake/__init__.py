"""Who says what, and have we heard it already?"""
