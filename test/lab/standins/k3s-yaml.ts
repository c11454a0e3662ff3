/** YAML as K3s reads it: version 1.1, and what is wrong in the words of Go's yaml package. */
import { parse } from 'yaml';

/** Throws an Error that begins with `yaml: line N: `. */
export function parseYaml(text: string): unknown {
  try {
    return parse(text, { version: '1.1', prettyErrors: true });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const line = /at line (\d+)/.exec(message)?.[1];
    throw new Error(`yaml: ${line === undefined ? '' : `line ${line}: `}${message.split(/ at line|\n/)[0]}`);
  }
}
