import { given, mapAt, type Problem } from '../../settings/path.ts';
import type { Written } from '../../settings/section.ts';

/** Returns the problems of the section `workloads`: a Secret without content, and content in two forms. */
export function workloadMisfits({ secrets }: Written): readonly Problem[] {
  return Object.keys(mapAt(secrets, [])).flatMap((name) =>
    secretMisfits(mapAt(secrets, [name])).map(({ path, message }) => ({
      path: ['secrets', name, ...path],
      message,
    })),
  );
}

function secretMisfits(secret: Written): readonly Problem[] {
  const keys = Object.keys(mapAt(secret.keys, []));
  const values = Object.keys(mapAt(secret.values, []));
  const both = values.filter((key) => keys.includes(key));
  if (given(secret.registry)) {
    return ['type', 'keys', 'values']
      .filter((other) => given(secret[other]))
      .map((other) => ({ path: [other], message: 'cannot stand beside registry; leave out one of them' }));
  }
  if (keys.length === 0) {
    return [
      { path: [], message: 'has no secret; name one in keys or in registry, or leave this Secret to GitOps' },
    ];
  }
  return both.map((key) => ({
    path: ['values', key],
    message: 'is in keys too; leave out one of them',
  }));
}
