"""What can go wrong between a letter and its envelope."""

from __future__ import annotations


class DeliveryError(ValueError):
    """A letter that cannot be sent as it is: an address that is none, a header that would not survive the wire."""


class AddressError(DeliveryError):
    """An address that is none."""


class ChatAddressError(ValueError):
    """A chat address that nothing may be sent to; the sentence never repeats it."""


class MailboxError(LookupError):
    """A message that the local mailbox does not hold."""
