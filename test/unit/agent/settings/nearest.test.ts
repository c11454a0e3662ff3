import { expect, test } from 'vitest';
import { nearest } from '../../../../src/agent/settings/nearest.ts';

test.each([
  ['server', ['servers', 'mirrors'], 'servers'],
  ['cluod', ['cloud', 'role'], 'cloud'],
  ['clientid', ['clientId'], 'clientId'],
  ['k3s-rol', ['k3s-role', 'k3s-server'], 'k3s-role'],
  ['ip', ['url', 'id'], 'id'],
  ['ip', ['url', 'log'], undefined],
  ['zzzzzz', ['role', 'log'], undefined],
  ['x', ['v'], undefined],
  ['role', [], undefined],
])('nearest(%j, %j) returns %j', (word, candidates, found) => {
  expect(nearest(word, candidates)).toBe(found);
});
