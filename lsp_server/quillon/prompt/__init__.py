"""Text in, text out: chat templates, fill-in-the-middle, tool-call dialects and their grammars."""
