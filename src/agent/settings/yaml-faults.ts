const quoteIt = 'put text that begins with a sign, or has a colon in it, in quotes';
export const strayAlias = `an alias names no anchor before it; ${quoteIt}`;
export const tooManyAliases = 'has too many aliases; write their values out';

const unreadable = `does not belong here; ${quoteIt}`;
const unknownTag = `a tag is not known; ${quoteIt}`;

/** The fault of a text and its repair, for each error of the YAML library. */
export const faultTexts = {
  ALIAS_PROPS: unreadable,
  BAD_ALIAS: unreadable,
  BAD_COLLECTION_TYPE: unknownTag,
  BAD_DIRECTIVE: 'is not a directive of YAML; remove the line',
  BAD_DQ_ESCAPE:
    'is not an escape sequence of double quotes; write \\\\ for a backslash, or use single quotes',
  BAD_INDENT:
    'is not indented right, or a [ or { before it is not closed; keys of one map begin in one column',
  BAD_PROP_ORDER: unreadable,
  BAD_SCALAR_START: 'text cannot begin with this character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: `a map or list cannot begin on this line; begin it on the next, or ${quoteIt}`,
  BLOCK_IN_FLOW: 'is inside [ ] or { }; write it with these as well',
  DUPLICATE_KEY: 'this key is there already; keep one of the two',
  IMPOSSIBLE: unreadable,
  KEY_OVER_1024_CHARS: 'a key is too long; keep it below 1024 characters',
  MISSING_CHAR:
    'something is missing before this: a closing quote or bracket, a comma, a space, or the : of a key',
  MULTILINE_IMPLICIT_KEY: 'a key goes on over several lines; write it on one',
  MULTIPLE_ANCHORS: unreadable,
  MULTIPLE_DOCS: 'a second document begins; keep one of the two',
  MULTIPLE_TAGS: unreadable,
  NON_STRING_KEY: 'a key is not text; put it in quotes',
  RESOURCE_EXHAUSTION: 'is nested too deeply; write it flatter',
  TAB_AS_INDENT: 'a tab cannot indent; use spaces',
  TAG_RESOLVE_FAILED: unknownTag,
  UNEXPECTED_TOKEN: unreadable,
} as const;
