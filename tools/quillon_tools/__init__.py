"""What a model may do to a workspace: typed tools behind a guard.

A security boundary that can be reviewed alone: nothing here knows the language server or the
engine. Start reading at `toolset`, the path that every call takes.
"""
