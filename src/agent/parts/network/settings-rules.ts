import { isMap, type Problem } from '../../settings/path.ts';
import type { Written } from '../../settings/section.ts';

/**
 * Returns a problem for each entry of imds.allow that sets neither or both of `from` and `uid`, or repeats the name of
 * an earlier entry.
 */
export function imdsMisfits({ allow }: Written): readonly Problem[] {
  const entries = Array.isArray(allow) ? allow.map((entry) => (isMap(entry) ? entry : {})) : [];
  return entries.flatMap((entry, at) => {
    const message = misfit(entry) ?? repeated(entries, at);
    return message === undefined ? [] : [{ path: ['allow', at], message }];
  });
}

const either =
  'from for pods with addresses of their own, or uid for processes of the VM and pods with hostNetwork';

function misfit({ from, uid }: Written): string | undefined {
  if (from !== undefined && uid !== undefined) {
    return `has from and uid; make two entries, ${either}`;
  }
  if (from === undefined && uid === undefined) {
    return `lets nothing through; give it ${either}`;
  }
  return undefined;
}

function repeated(entries: readonly Written[], at: number): string | undefined {
  const name = entries[at]?.name;
  const first = entries.findIndex((entry) => entry.name === name);
  return name === undefined || first === at
    ? undefined
    : `has the name of imds.allow[${first}]; give it another`;
}
