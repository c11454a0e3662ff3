import { expect, test } from 'vitest';
import { causeIn } from '../../../../../src/agent/gitops/flux/flux-words.ts';

const unauthorised = [
  '► connecting to github.com',
  '✗ failed to get Git repository "https://github.com/acme/platform": provider error: multiple errors occurred: ',
  '- GET https://api.github.com/repos/acme/platform: 401 Bad credentials []',
].join('\n');

const changes = Array.from({ length: 60 }, (_, n) => `CustomResourceDefinition/crd-${n} configured`);

test.each([
  [
    'every line of a failure',
    unauthorised,
    'failed to get Git repository "https://github.com/acme/platform": provider error: multiple errors occurred: ' +
      '- GET https://api.github.com/repos/acme/platform: 401 Bad credentials []',
  ],
  [
    'the failures before the summary, which repeats them',
    '✗ source-controller: deployment not ready\n✔ notification-controller: deployment ready\n' +
      '✗ bootstrap failed with 1 health check failure(s): timed out waiting for all resources to be ready\n',
    'source-controller: deployment not ready',
  ],
  [
    'a summary that is the only failure',
    '✗ bootstrap failed with 1 health check failure(s): timed out.',
    'bootstrap failed with 1 health check failure(s): timed out',
  ],
  [
    'the cause before a list of changes',
    ['✗ ConfigMap/a dry-run failed: no such kind', ...changes, "'"].join('\n'),
    "ConfigMap/a dry-run failed: no such kind '",
  ],
  [
    'only the last message if there is no failure',
    '► cloning branch "main"\n⚠️  clone failure: EOF\n◎ waiting for GitRepository\n',
    'waiting for GitRepository',
  ],
  [
    'text without the marks that flux puts before messages',
    'panic: nil\n\ngoroutine 1',
    'panic: nil goroutine 1',
  ],
  ['nothing if the output is empty', '', ''],
])('causeIn quotes %s', (_, output, cause) => {
  expect(causeIn(output)).toBe(cause);
});

test('causeIn truncates each long failure, and their combined text, at the end', () => {
  const long = (name: string) => `✗ ${name}${'x'.repeat(5_000)}`;
  const cause = causeIn([long('first'), long('second')].join('\n'));
  expect(cause).toMatch(/^firstx+\.\.\.; secondx+\.\.\.$/);
  expect(causeIn(Array.from({ length: 9 }, () => long('again')).join('\n')).length).toBeLessThan(1_300);
});
