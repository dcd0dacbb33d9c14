"""The Model Context Protocol: tools of other servers for us, and our tools for other clients.

Only this package reaches the SDK, which is an optional extra: what imports it is imported late.
"""
