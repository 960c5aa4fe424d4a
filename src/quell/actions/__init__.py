"""The fixes that a device can be asked to run: one file each, pure, over the closed catalogue of steps in `wire`."""
