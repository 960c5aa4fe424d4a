"""The door that listens for mail and fetches it: LMTP, SMTP and IMAP."""
