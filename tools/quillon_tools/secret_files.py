"""Which files may hold secrets. They are denied to the model by default.

Names are compared after Unicode compatibility folding and case folding, so that `.ENV` or a
full-width spelling is the same name.
"""

import re
import unicodedata
from fnmatch import translate

_DATA = "json|ya?ml|toml|ini|xml|csv|txt|properties|enc|env|cfg|conf"

# Folders all of whose content is private; `.git` holds URLs with credentials, and hooks.
_FOLDERS = frozenset({".ssh", ".aws", ".gnupg", ".azure", ".kube", ".password-store", ".git"})
# Files and folders that are private only in a certain folder.
_PLACES = frozenset(
    {(".docker", "config.json"), (".config", "gcloud"), (".config", "gh"), (".config", "hub")}
)
_GLOBS = (
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.jks",
    "*.keystore",
    "*.kdbx",
    "*.ppk",
    "*.ovpn",
    ".env",
    ".env.*",
    "*.env",
    ".envrc",
    ".netrc",
    "_netrc",
    ".npmrc",
    ".yarnrc.yml",
    ".pypirc",
    ".pgpass",
    ".my.cnf",
    ".htpasswd",
    ".git-credentials",
    ".dockercfg",
    ".dockerconfigjson",
    ".vault-token",
    ".vault_pass*",
    ".bash_history",
    ".zsh_history",
    ".python_history",
    ".s3cfg",
    ".boto",
    "kubeconfig",
    "*.kubeconfig",
    "service-account*.json",
    "service_account*.json",
    "client_secret*.json",
    "terraform.tfstate*",
    "*.tfvars",
    "master.key",
)
_REGEXES = (
    r"id_(rsa|dsa|ecdsa|ed25519)(_sk)?(?!.*\.pub$).*",
    rf"\.?(credentials?|secrets?)(\.({_DATA}))?",
    rf"(.*[._-])?(credentials|secrets)\.({_DATA})",
)
_NAMES = re.compile(
    "|".join([*(f"(?:{translate(glob)})" for glob in _GLOBS), *(f"(?:{r})\\Z" for r in _REGEXES)])
)
# Samples are there to be read.
_SAMPLES = re.compile(r".*\.(example|sample|template|dist|defaults?|schema)(\.\w+)?")


def secret_part(parts: tuple[str, ...]) -> str | None:
    """The component of a path that may hold secrets; None: nothing does."""
    names = [
        unicodedata.normalize("NFKC", part).casefold().lstrip(" \t").rstrip(" \t.")
        for part in parts
    ]
    for index, name in enumerate(names):
        if name in _FOLDERS or (index > 0 and (names[index - 1], name) in _PLACES):
            return parts[index]
    if names and _NAMES.fullmatch(names[-1]) and not _SAMPLES.fullmatch(names[-1]):
        return parts[-1]
    return None
