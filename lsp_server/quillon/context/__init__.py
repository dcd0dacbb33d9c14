"""What a prompt is made from: documents, their syntax, and what is gathered from them.

Start reading at `document`: a frozen snapshot of one text and its tree.
"""
