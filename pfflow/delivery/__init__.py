"""Delivery: letters become messages, messages leave by SMTP or stay in the local mailbox."""
