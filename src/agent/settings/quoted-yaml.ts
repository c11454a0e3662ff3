import { stringify } from 'yaml';
import { rememberingData } from '../engine/remembering.ts';

/** Data to write as YAML, and the quotes of its keys. */
interface Quoted {
  readonly data: unknown;
  readonly keys: 'PLAIN' | 'QUOTE_DOUBLE';
}

/**
 * Returns data as YAML with quoted strings, since YAML would read a name such as `0123` or `1e5` as a number. Takes the
 * data and the path or any other name of the file, and renders again only if the data for this name has changed.
 */
export const quotedYaml = rememberingData(({ data, keys }: Quoted) =>
  stringify(data, { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: keys, lineWidth: 0 }),
);
