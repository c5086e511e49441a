"""The demo practice: invented people, reserved numbers and domains, the same every time. `load` and `accounts`."""

from bedside.demo.load import Account, accounts, load

__all__ = ["Account", "accounts", "load"]
