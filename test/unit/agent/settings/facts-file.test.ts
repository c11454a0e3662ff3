import { expect, test } from 'vitest';
import { factsSetting } from '../../../../src/agent/settings/facts-file.ts';
import { memoryHost } from '../../../lab/memory-host.ts';
import { problemsOf } from './invalid.ts';

const facts = (content: string) => factsSetting(memoryHost({ files: { '/f.yaml': content } }), '/f.yaml');

test.each([
  ['vmId: a', { vmId: 'a' }],
  ['', {}],
])('factsSetting returns %j as the setting static', async (content, value) => {
  expect(await facts(content)).toEqual({ option: '--facts /f.yaml', path: 'static', value });
});

test('factsSetting reports the place of a YAML fault and does not quote the file', async () => {
  expect(await problemsOf(() => facts('vmId: *hunter2\ntags: |hunter2'))).toEqual([
    expect.stringMatching(/^\/f\.yaml: line 2, column 8: (?!.*hunter2)/),
  ]);
  expect(await problemsOf(() => facts('vmId: *hunter2'))).toEqual([
    expect.stringMatching(/^\/f\.yaml: line 1, column 7: (?!.*hunter2)/),
  ]);
});

test('factsSetting reports a missing file', async () => {
  expect(await problemsOf(() => factsSetting(memoryHost(), '/f.yaml'))).toEqual([
    '/f.yaml: does not exist; check the path after --facts',
  ]);
});
