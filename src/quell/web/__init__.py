"""The door for browsers: pages, forms and live events; each reads input, calls one verb and shows the result."""
