"""Why a server cannot be reached, in a sentence."""

import os

from quillon.engine.pull.events import PullError

_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


def unreachable(host: str, error: Exception) -> PullError:
    """The error of a connection that could not be made or did not last."""
    reason = str(error) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return PullError(
            f"The certificate of {host} is not trusted: {reason}. Behind a proxy that looks into "
            "connections, set SSL_CERT_FILE to its certificate."
        )
    proxies = [name for name in _PROXIES if os.environ.get(name)]
    if proxies:
        advice = f"The proxy of {proxies[0]} is used: is it right?"
    else:
        advice = "Is this machine online? Where a proxy is needed, set HTTPS_PROXY."
    return PullError(f"{host} cannot be reached: {reason}. {advice}")
