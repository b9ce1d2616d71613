"""Flags: what in a stranger's text looks as if it was written for whoever reads the evidence.

No list of words keeps everything out, so nothing rests on a text that has no flag: a flag only
takes away what could have been done without people.
"""

import base64
import binascii
import html
import re
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import unquote

from webhook.evidence.clean import LONGEST, hides, line

INSTRUCTION = "instruction"  # it reads like an order, a ruling, or a diagnosis with its remedy
HIDDEN = "hidden_characters"
MARKUP = "markup"  # fences, and the signs of a turn of somebody else
ENCODED = "encoded"  # a text within the text
FLOOD = "flood"  # of lines that are all different
NAMES: Final = (INSTRUCTION, HIDDEN, MARKUP, ENCODED, FLOOD)

_ACTION = (
    "(?:restart|pause|stop|start|resume) (?:the )?(?:service|project|server|process|pod|container)"
    "|(?:clear|flush|drop) (?:the )?cache|roll ?back (?:the )?(?:deployment|release)?"
)
_READER = "(?:ai|assistant|llm|language model|claude|gpt|chatgpt|copilot|analy[sz]er|sre agent)"

# They are looked for in words: small letters, one space between them, nothing else.
_ORDERS: Final = re.compile(
    "|".join(
        rf"\b(?:{pattern})\b"
        for pattern in (
            (
                r"(?:ignore|disregard|forget|overrule|bypass) (?:\w+ ){0,6}?(?:instructions?|rules?"
                r"|prompts?|guidelines?|directives?|polic(?:y|ies)|safeguards?|gates?|constraints?"
                r"|evidence|context|above|previous|thresholds?)"
            ),
            r"override (?:\w+ ){0,4}?(?:instructions?|prompts?|guidelines?|safeguards?|gates?)",
            r"(?:new|updated|following|hidden|secret|real) instructions",
            rf"(?:you are|act as|acting as|pretend to be) (?:\w+ ){{0,3}}?{_READER}",
            r"(?:developer mode|jailbreak|system (?:override|instruction|prompt))",
            (
                r"(?:attention|note|notice|message|instructions?|dear) (?:to |for )?(?:the |all )?"
                rf"{_READER}"
            ),
            (
                rf"{_READER} (?:\w+ ){{0,3}}?(?:must|should|shall|please|needs?|has) "
                r"(?:\w+ ){0,3}?"
                r"(?:restart|run|execute|call|choose|select|pick|set|return|answer|respond|reply"
                r"|output|report|recommend|approve|classify|conclude|ignore|treat|trust|say|use)"
            ),
            (
                r"(?:please|must|should|shall|immediately|now|recommended|action|execute|run|call"
                r"|perform|choose|select|approve|requires?|fix|solution|remedy|remediation) "
                rf"(?:\w+ ){{0,4}}?(?:{_ACTION})"
            ),
            (
                rf"(?:{_ACTION}) (?:\w+ ){{0,3}}?"
                r"(?:now|immediately|fix(?:es|ed)?|resolve[sd]?|solve[sd]?|approved"
                r"|authori[sz]ed|required|recommended|needed|necessary)"
            ),
            r"(?:root cause category|target ref|alert target|suspicious text|evidence ids?)",
            r"(?:set|your|report|use|give|return) (?:\w+ ){0,3}?confidence",
            (
                r"(?:reveal|print|repeat|show|output|leak|send|tell) (?:\w+ ){0,4}?your (?:\w+ )?"
                r"(?:instructions|prompt|rules|configuration|secrets?|api key|key)"
            ),
            (
                r"(?:action|restart|roll ?back|remediation|repair|execution) (?:\w+ ){0,4}?"
                r"(?:pre ?)?(?:approved|authori[sz]ed)"
            ),
            (
                r"(?:no|without) (?:\w+ ){0,2}?(?:approval|confirmation|review)(?: \w+){0,2}? "
                r"(?:needed|required|necessary)"
            ),
            r"auto ?approved?|pre ?approved",
            r"(?:do not|don t|never|no need to) (?:escalate|ask|page|wait for)",
            (
                r"(?:root cause|diagnosis) (?:\w+ ){0,14}?(?:fix|solution|remedy|remediation"
                r"|restart|roll ?back|clear|pause)"
            ),
            (
                r"(?:recommended|suggested|required|correct|proper|appropriate|safe|best) "
                r"(?:action|fix|remediation|remedy|repair|mitigation|course of action)"
            ),
            r"end of (?:the )?(?:evidence|logs?|context)",
        )
    )
)
_ELSEWHERE: Final = re.compile(  # the same in other languages, each by its beginning
    "ignorier\\w* (?:\\w+ ){0,3}?(?:anweisung|regel)|vergiss alle|ignore[zr] (?:\\w+ ){0,3}?instruc"
    "|ignora (?:\\w+ ){0,3}?(?:instruc|istruzion)|oublie[zr]? (?:\\w+ ){0,3}?instruc"
    "|\u5ffd\u7565|\u7121\u8996|\u65e0\u89c6|\u6307\u793a\u3092\u7121"
    "|\u0438\u0433\u043d\u043e\u0440\u0438\u0440|\u0437\u0430\u0431\u0443\u0434\u044c"
    "|\u062a\u062c\u0627\u0647\u0644|\ubb34\uc2dc\ud558"
)
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")  # ofCamelCase
_JOINED: Final = re.compile(  # what is one word only to whoever looks for words
    "(?:ignore|disregard|forget|overrule|bypass|override)[a-z]{0,20}"
    "(?:instructions?|prompts?|guidelines?|directives?|safeguards?)"
    "|(?:please|must|should|immediately|execute|perform|choose|select|approve)[a-z]{0,10}"
    "(?:(?:restart|pause|stop|start|resume)[a-z]{0,3}(?:service|project|server|process)"
    "|(?:clear|flush|drop)[a-z]{0,3}cache|rollback)"
)
_MARKUP: Final = re.compile(
    r"(?i)```|~~~|<\||\|>|\[/?INST\]|<</?SYS>>"
    r"|</?(?:system|assistant|human|instructions?|evidence|prompt|untrusted|trusted|tool_\w{1,20}"
    r"|function_\w{1,20}|invoke|antml\w{0,3}:?\w{0,20}|thinking)\b"
    r"|[\"']role[\"']\s{0,3}:\s{0,3}[\"'](?:system|assistant|user)"
    r"|[\"']?trust[\"']?\s{0,3}[:=]\s{0,3}[\"'](?:measured|config)"
    r"|##\s{0,3}(?:system|instructions?|assistant|human)\b"
    r"|(?:^|[\r\n])\s{0,9}(?:human|assistant)\s{0,3}:|[\r\n]\s{0,9}system\s{0,3}:"
)

# Letters of other alphabets that look like ours, and figures that stand for letters.
_ALIKE: Final = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0455\u0458\u04bb\u051b\u051d\u0501\u0475"
    "\u03b1\u03b5\u03bf\u03c1\u03c5\u03b9\u03ba\u03bd\u03c4\u0131\u0261",
    "aeopcyxisjhqwdv" + "aeopuiknt" + "ig",
)
_FIGURES: Final = str.maketrans("013457", "oieast")
_MIXED: Final = re.compile(r"[a-z][013457][a-z]|\b[013457][a-z]{2}")
_SPELLED: Final = re.compile(r"\b(?:[a-z] ){8,}[a-z]\b")  # one letter after another
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{24,2000}={0,2}")
_HEX: Final = re.compile(r"\b(?:[0-9a-fA-F]{2}[ :]?){16,1000}\b")
_SPEECH: Final = re.compile(r"\b(?:[A-Za-z]{2,}[^\w\n]{1,3}){3,}[A-Za-z]{2,}")  # words in a row


def flags(text: str) -> frozenset[str]:
    """Return the names of what is suspicious about *text*, which nobody has cleaned."""
    plain = line(text)
    found = {
        HIDDEN: hides(text),
        MARKUP: bool(_MARKUP.search(plain) or _MARKUP.search(text[:LONGEST])),
        INSTRUCTION: _orders(plain),
        ENCODED: _spelled(plain) or any(_speaks(each) for each in _within(plain)),
    }
    return frozenset(name for name, is_so in found.items() if is_so)


def _words(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text))


def _orders(plain: str) -> bool:
    apart = _HUMP.sub(" ", plain)
    return _order(plain) or (apart != plain and _order(apart))


def _order(plain: str) -> bool:
    small = plain.lower()
    alike = small.translate(_ALIKE)
    return bool(
        _ORDERS.search(_words(alike))
        or (_MIXED.search(alike) and _ORDERS.search(_words(alike.translate(_FIGURES))))
        or _ELSEWHERE.search(_words(small))
        or _JOINED.search(alike)
    )


def _spelled(plain: str) -> bool:
    return bool(_SPELLED.search(_words(plain.lower())))


def _speaks(inner: str) -> bool:
    """Tell whether *inner*, which was packed into a text, is speech."""
    return bool(_SPEECH.search(inner) or _orders(inner))


def _within(plain: str) -> Iterator[str]:
    """Return what is packed into the text."""
    for found in _BASE64.findall(plain):
        yield from _unpacked(_from_base64, found)
    for found in _HEX.findall(plain):
        yield from _unpacked(_from_hex, found)
    for sign, unpack in (("%", unquote), ("&", html.unescape), ("\\", _unescaped)):
        if sign in plain and not _orders(plain):
            other = line(unpack(plain))
            if _orders(other):
                yield other


def _unpacked(unpack: Callable[[str], bytes], packed: str) -> Iterator[str]:
    try:
        text = unpack(packed).decode()
    except (binascii.Error, ValueError):
        return
    if text.isprintable() or "\n" in text:
        yield line(text)


def _from_base64(packed: str) -> bytes:
    bare = packed.rstrip("=").replace("-", "+").replace("_", "/")
    return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)


def _from_hex(packed: str) -> bytes:
    return bytes.fromhex(packed.replace(":", "").replace(" ", ""))


def _unescaped(plain: str) -> str:
    return re.sub(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))", _sign, plain)


def _sign(found: re.Match[str]) -> str:
    return chr(int(found[1] or found[2], 16))
