/** Parses YAML as K3s does: as YAML 1.1, with errors in the wording of Go's yaml package. */
import { isNode, LineCounter, parse, parseDocument } from 'yaml';

/** Parses a YAML text; throws an Error that begins with `yaml: line N: `, or `yaml: ` if the line is not known. */
export function parseYaml(text: string): unknown {
  try {
    return parse(text, { version: '1.1', prettyErrors: true });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const line = /at line (\d+)/.exec(message)?.[1];
    throw new Error(`yaml: ${line === undefined ? '' : `line ${line}: `}${message.split(/ at line|\n/)[0]}`);
  }
}

/** Returns the number of the line on which the value at `path` begins; 1 if `path` leads to no value. */
export function lineAt(text: string, path: readonly string[]): number {
  const lineCounter = new LineCounter();
  const found = parseDocument(text, { version: '1.1', lineCounter }).getIn(path, true);
  return isNode(found) && found.range ? lineCounter.linePos(found.range[0]).line : 1;
}
