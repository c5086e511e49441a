"""The payment processor in use: the stand-in until a real one's key is configured."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from bedside.payments.processors.base import Processor


def processor() -> Processor:
    """The configured processor. Never the stand-in outside the sandbox: its payments would be taken for real ones."""
    if settings.SANDBOX:
        from bedside.payments.processors.sandbox import SandboxProcessor

        return SandboxProcessor()
    return _stripe(settings.ENV.secret("stripe_api_key"), settings.ENV.stripe_api_base)


@lru_cache(maxsize=2)
def _stripe(api_key: str, api_base: str) -> Processor:
    """Made once: it keeps its connections. The library is large and is loaded only where it is used."""
    from django.core.exceptions import ImproperlyConfigured

    from bedside.payments.processors.stripe import StripeProcessor

    if not api_key.startswith(("sk_", "rk_")):
        raise ImproperlyConfigured("BEDSIDE_STRIPE_API_KEY must be a secret (sk_) or a restricted (rk_) key.")
    return StripeProcessor(api_key, api_base=api_base)
