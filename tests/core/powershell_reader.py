"""What tree-sitter's grammar of PowerShell reads in a script: no PowerShell is needed to run these tests."""

from collections.abc import Iterator

import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_powershell.language()))


def nodes(script: str) -> Iterator[Node]:
    waiting = [_PARSER.parse(script.encode()).root_node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(node.children)


def errors(script: str) -> list[str]:
    return [text(node) for node in nodes(script) if node.is_error or node.is_missing]


def here_strings(script: str) -> list[str]:
    found = (text(node) for node in nodes(script) if node.type == "verbatim_here_string_characters")
    return [string.removeprefix("@'").removesuffix("'@") for string in found]


def plain_strings(script: str) -> list[str]:
    found = (text(node) for node in nodes(script) if node.type == "verbatim_string_characters")
    return [string[1:-1].replace("''", "'") for string in found]


def commands(script: str) -> list[str]:
    return [text(node) for node in nodes(script) if node.type == "command_name"]


def text(node: Node) -> str:
    return (node.text or b"").decode()
