import { expect, test } from 'vitest';
import { enginePlainHttp } from '../../../../src/agent/gitops/sections.ts';
import { knownAt } from '../../../../src/agent/settings/known-keys.ts';

test.each(enginePlainHttp())('what must not be plain http is a setting: $path', ({ path }) => {
  expect(knownAt(path.slice(0, -1))).toContain(path.at(-1));
});
