"""The form that every message from a replica must have, whoever it is for."""

from typing import Any, Optional

IDENTITIES = ("src", "dst", "leader")
IDENTITY_LENGTH = 4


def fault(message: Any, type_must_be_text: bool) -> Optional[str]:
    """What is wrong with a message's form, or None. Anything beyond the four fields is free."""
    if not isinstance(message, dict):
        return "message is not an object"
    for name in IDENTITIES:
        identity = message.get(name)
        if not isinstance(identity, str) or len(identity) != IDENTITY_LENGTH:
            return "message with a bad or missing " + name
        try:
            int(identity, 16)
        except ValueError:
            return "message with a bad " + name
    if "type" not in message:
        return "message without a type"
    if type_must_be_text and not isinstance(message["type"], str):
        return "message with a bad type"
    return None
