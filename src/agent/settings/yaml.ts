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

/** The data of a YAML text, or its faults. */
export interface ReadYaml {
  /** The data; `null` if the text is empty. */
  readonly value: unknown;
  /** The faults, such as `line 2, column 1: what is wrong; the repair`; they never quote the text. */
  readonly faults: readonly string[];
}

/** Options that stop the YAML library from quoting the text in its errors, and from printing warnings that quote it. */
const discreet = { prettyErrors: false, logLevel: 'error' } as const;

/**
 * Parses a YAML document by the standard rules. Throws an Error that states the place of the first fault, and does not
 * quote the document.
 */
export function parseYaml(content: string): unknown {
  const { value, faults } = readYaml(content, { isStrict: true });
  if (faults[0] !== undefined) {
    throw new Error(faults[0]);
  }
  return value;
}

/** The rules of parsing: the options of the YAML library, and the strictness. */
interface Dialect extends ParseOptions, DocumentOptions, SchemaOptions {
  /** True if an unknown tag or a second document is a fault. */
  readonly isStrict: boolean;
}

const strict: Dialect = { isStrict: true, stringKeys: true };

/**
 * Parses the text of a K3s configuration file as K3s does. Takes the text and the path of the file, and parses again
 * only if the text at this path has changed.
 *
 * Uses the last value of a duplicate key and the first of several documents, ignores an unknown tag, reads `yes` as
 * true, and treats `<<` as an ordinary key.
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

/**
 * Parses one YAML document. Uses our own messages for faults, because those of the library quote text that may be a
 * secret.
 */
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

/** Composes a document from tokens, as the library's parseDocument does from a text. */
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

/** The most faults to report: one mistake, such as an open bracket, can cause thousands. */
const mostFaults = 20;
/** The most aliases in one text. The library has the same limit, but for each anchor. */
const mostAliases = 99;

/** Control characters except tabs and line breaks, and the replacement character of bytes that are not UTF-8. */
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

/**
 * Returns a fault for each alias without an anchor or inside its own anchor, and for the first alias above the limit.
 */
function strayAliases(document: Document.Parsed): readonly Fault[] {
  const found: Fault[] = [];
  // Collects the anchors here, because the library would search the whole document for each alias.
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

/** Converts a document to data; reports a fault if nested aliases expand so far that the library throws an error. */
function asData(document: Document.Parsed): ReadYaml {
  try {
    return { value: document.toJS(), faults: [] };
  } catch {
    return { value: undefined, faults: [`line 1, column 1: ${tooManyAliases}`] };
  }
}

/** The faults that a lenient dialect ignores. */
const tolerated: readonly ErrorCode[] = ['MULTIPLE_DOCS', 'TAG_RESOLVE_FAILED'];
