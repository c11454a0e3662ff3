import { stringify } from 'yaml';

/** Writes a value on one line, as YAML reads it back: `[a, "1e5"]`. */
export function inlineYaml(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 }).trimEnd();
}
