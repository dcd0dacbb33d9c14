"""What the editor can do, asked once and kept flat: no handler looks into the client's tree."""

import msgspec

from quillon.text import Encoding


class ClientCapabilities(msgspec.Struct, frozen=True, kw_only=True):
    """One field for each thing that decides between two ways of answering.

    The defaults are those of a client that said nothing.
    """

    locale: str = ""  # the language of the user interface, as in `en` or `zh-cn`
    encoding: Encoding = "utf-16"
    # Edits
    document_changes: bool = False  # edits may name the document version
    create_files: bool = False  # edits may create files
    change_annotations: bool = False
    new_file_is_a_line: bool = False  # a file that an edit creates has one line with its end
    # Code actions
    code_action_literals: bool = False
    code_action_data: bool = False  # `codeAction/resolve` gets back what the action carried
    code_action_disabled: bool = False
    code_action_resolve_edit: bool = False  # `codeAction/resolve` may fill in the edit
    llm_generated_tag: bool = False
    # Window
    work_done_progress: bool = False
    show_document: bool = False
    text_document_content: bool = False
    # Workspace
    configuration: bool = False
    # Quillon's own clients
    quillon_approve: bool = False
    quillon_chat: bool = False
