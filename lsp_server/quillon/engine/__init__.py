"""The model behind one contract: local process, remote server or script."""
