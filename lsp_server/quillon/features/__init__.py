"""LSP handlers, one file per capability: they translate, ask `assist`, and translate back."""
