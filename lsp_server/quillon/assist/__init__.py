"""What the product does, told in documents, prompts and edits: nothing here knows LSP."""
