"""The signer: its own process that alone holds the order key, and judges by itself before it signs."""
