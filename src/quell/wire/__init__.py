"""What server and device say to each other: a closed set of steps and signing; imports nothing of ours."""
