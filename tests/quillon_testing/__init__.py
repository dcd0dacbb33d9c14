"""What tests share: cursor marks and selections in source text."""
