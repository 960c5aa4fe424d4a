"""Why does it happen?"""
