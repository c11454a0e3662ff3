import { isMap, valueAt } from '../../settings/path.ts';
import type { Problem } from '../../settings/problem.ts';

/** Entries that do not say by what they are known, or say it twice, and two entries of one name. */
export function imdsMisfits(written: unknown): readonly Problem[] {
  const allow = valueAt(written, ['imds', 'allow']);
  const entries = Array.isArray(allow) ? allow.map((entry) => (isMap(entry) ? entry : {})) : [];
  return entries.flatMap((entry, at) => {
    const message = misfit(entry) ?? repeated(entries, at);
    return message === undefined ? [] : [{ path: ['imds', 'allow', at], message }];
  });
}

const either =
  'from for pods with addresses of their own, or uid for processes of the VM and pods with hostNetwork';

function misfit({ from, uid }: Readonly<Record<string, unknown>>): string | undefined {
  if (from !== undefined && uid !== undefined) return `has from and uid; make two entries, ${either}`;
  if (from === undefined && uid === undefined) return `lets nobody through; give it ${either}`;
  return undefined;
}

function repeated(entries: readonly Readonly<Record<string, unknown>>[], at: number): string | undefined {
  const name = entries[at]?.name;
  const first = entries.findIndex((entry) => entry.name === name);
  return name === undefined || first === at
    ? undefined
    : `has the name of imds.allow[${first}]; give it another`;
}
