"""From the tables to the views: reads what a page needs and puts it into words."""
