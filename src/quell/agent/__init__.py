"""The program on a device: it asks the server for orders, obeys within its own policy, and remembers what it did."""
