"""Where secrets are kept: the system's keychain, an encrypted file, or the environment of one run."""
