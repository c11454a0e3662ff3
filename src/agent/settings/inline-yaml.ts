import { stringify } from 'yaml';

/** Returns a value as YAML on one line, such as `[a, "1e5"]`. */
export function inlineYaml(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 }).trimEnd();
}
