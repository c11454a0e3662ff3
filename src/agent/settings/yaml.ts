import {
  Composer,
  type CST,
  type Document,
  type DocumentOptions,
  type ErrorCode,
  isAlias,
  type Node,
  type ParseOptions,
  type SchemaOptions,
  visit,
  YAMLParseError,
} from 'yaml';
import { remembering } from '../engine/remembering.ts';
import { boundedTokens } from './yaml-bounds.ts';
import { faultTexts, strayAlias, tooManyAliases } from './yaml-faults.ts';

/** A YAML text as data, or its faults. */
export interface ReadYaml {
  /** `null` if the text is empty. */
  readonly value: unknown;
  /** `line 2, column 1: what is wrong; the repair`, never with a word of the text. */
  readonly faults: readonly string[];
}

/**
 * Keeps the library from quoting the text in its errors, and from printing warnings that quote it to standard error.
 */
const discreet = { prettyErrors: false, logLevel: 'error' } as const;

/** Parses a YAML document by the usual rules; throws an Error that names a place in the text and quotes none of it. */
export function parseYaml(content: string): unknown {
  const { value, faults } = readYaml(content, { isStrict: true });
  if (faults[0] !== undefined) {
    throw new Error(faults[0]);
  }
  return value;
}

/** How strictly a text is read, and the rules for single values. */
interface Dialect extends ParseOptions, DocumentOptions, SchemaOptions {
  /** True if an unknown tag or a second document makes the text unusable. */
  readonly isStrict: boolean;
}

const strict: Dialect = { isStrict: true, stringKeys: true };

/**
 * Reads a configuration file of K3s as K3s does, given its text and its path; parses it only if the text has changed.
 *
 * The last value of a duplicate key counts, and the first of several documents; an unknown tag is ignored, `yes` is
 * true, and `<<` merges nothing.
 *
 * Source: gopkg.in/yaml.v2 2.4, Unmarshal into a MapSlice, as in pkg/configfilearg/parser.go.
 */
export const readK3sYaml = remembering((text) => readYaml(text, k3sDialect));

const k3sDialect: Dialect = {
  isStrict: false,
  uniqueKeys: false,
  schema: 'yaml-1.1',
  customTags: (tags) =>
    tags.filter(
      (tag) => typeof tag === 'object' && tag.format !== 'TIME' && !/:(timestamp|merge)$/.test(tag.tag),
    ),
};

/** Reads one YAML document. Words the faults itself: the library's messages quote text that may be a secret. */
export function readYaml(content: string, { isStrict, ...dialect }: Dialect = strict): ReadYaml {
  const bounded = boundedTokens(content);
  if ('text' in bounded) {
    return unread(content, [bounded]);
  }
  const binary = content.search(noText);
  if (binary >= 0) {
    return { value: undefined, faults: [noTextAt(content.slice(0, binary))] };
  }
  const document = composeDocument(content, bounded.tokens, dialect);
  const found = [...document.errors, ...document.warnings]
    .filter(({ code }) => isStrict || !tolerated.includes(code))
    .map(({ code, pos }) => fault(pos[0], faultTexts[code]));
  const faults = found.length > 0 ? found : strayAliases(document);
  return faults.length > 0 ? unread(content, faults) : asData(document);
}

/** Composes the document of a text from its tokens, as the library's parseDocument does from the text. */
function composeDocument(
  content: string,
  tokens: readonly CST.Token[],
  options: ParseOptions & DocumentOptions & SchemaOptions = {},
): Document.Parsed {
  const [document, another] = new Composer({ ...discreet, ...options }).compose(tokens, true, content.length);
  if (!document) {
    throw new Error('the YAML library makes a document even of an empty text');
  }
  if (another) {
    const [from, to] = another.range;
    document.errors.push(new YAMLParseError([from, to], 'MULTIPLE_DOCS', 'a second document begins'));
  }
  return document;
}

function unread(content: string, faults: readonly Fault[]): ReadYaml {
  return {
    value: undefined,
    faults: faults.slice(0, mostFaults).map(({ at, text }) => `${lineAndColumn(content, at)}: ${text}`),
  };
}

/** One mistake, such as a bracket that is not closed, can cause thousands of faults. */
const mostFaults = 20;
/** In one text; the library allows as many of each anchor. */
const mostAliases = 99;

/** Control characters that are not text, and the replacement character of bytes that are not UTF-8. */
const noText = /[^\P{Cc}\t\r\n\u0085]|\uFFFD/u;

function noTextAt(before: string): string {
  return `line ${before.split('\n').length}: holds bytes that are not text; save it as UTF-8`;
}

interface Fault {
  readonly at: number;
  readonly text: string;
}

function fault(at: number, text: string): Fault {
  return { at, text };
}

function lineAndColumn(content: string, at: number): string {
  const before = content.slice(0, at).split('\n');
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

/** Finds aliases without an anchor, and aliases inside their own anchor; else the first of too many. */
function strayAliases(document: Document.Parsed): readonly Fault[] {
  const found: Fault[] = [];
  // By hand: the library would search the whole document for each alias.
  const anchors = new Map<string, Node>();
  let aliases = 0;
  visit(document, {
    Node(_, node, ancestors) {
      if (!isAlias(node)) {
        if (node.anchor) {
          anchors.set(node.anchor, node);
        }
        return;
      }
      aliases += 1;
      const target = anchors.get(node.source);
      const at = node.range?.[0] ?? 0;
      if (!target || ancestors.includes(target)) {
        found.push(fault(at, strayAlias));
      } else if (aliases === mostAliases + 1) {
        found.push(fault(at, tooManyAliases));
      }
    },
  });
  return found;
}

/** Converts the document to data. The library gives up if aliases of aliases would fill the memory. */
function asData(document: Document.Parsed): ReadYaml {
  try {
    return { value: document.toJS(), faults: [] };
  } catch {
    return { value: undefined, faults: [`line 1, column 1: ${tooManyAliases}`] };
  }
}

/** Faults that a lenient dialect ignores. */
const tolerated: readonly ErrorCode[] = ['MULTIPLE_DOCS', 'TAG_RESOLVE_FAILED'];
