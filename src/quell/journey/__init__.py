"""The way of a ticket: five rooms in order, each with its plumbing and its pure heart."""
