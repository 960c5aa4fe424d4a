"""What is it, how urgent, whose, and is it the same as something open?"""
