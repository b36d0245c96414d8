"""Characters that readers take for one another, or don't see at all: hence written as escapes."""

DOUBLE_QUOTES = "\u201c\u201d\u201e\u201f\u00ab\u00bb\u301d\u301e"
SINGLE_QUOTES = "\u2018\u2019\u201a\u201b\u2039\u203a"
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
SPACES = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff"

# Latin, Greek, Cyrillic, Hebrew, Arabic, the scripts of India: before this one, spaces stand between words.
SPACED_SCRIPTS_END = "\u0e00"


def puts_spaces_between_words(text: str) -> bool:
    """Whether no character is of a script, such as Thai or Chinese, that writes words without spaces."""
    return max(text, default="") < SPACED_SCRIPTS_END
