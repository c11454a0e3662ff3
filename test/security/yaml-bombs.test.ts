import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import { parseRegistries } from '../../src/agent/parts/registry/registries-yaml.ts';
import { factsSetting } from '../../src/agent/settings/facts-file.ts';
import { parseYaml, readYaml } from '../../src/agent/settings/yaml.ts';
import { temporaryFolder } from '../integration/host/folder.ts';

const tooDeep = 'is nested more than 64 levels deep; write it flatter';
const tooMany = 'more than 30000 keys, values and signs end here; remove what is not needed';
const tooManyAliases = 'has too many aliases; write their values out';

/** Inputs for which the YAML library needs seconds to minutes, and up to 800 MB each. */
const bombs = {
  'unclosed brackets': ['hunter2: '.concat('['.repeat(500_000)), tooDeep],
  'flow lists': ['['.repeat(500_000) + ']'.repeat(500_000), tooDeep],
  'flow maps': ['{a: '.repeat(200_000) + '}'.repeat(200_000), tooDeep],
  'nested lists on one line': [`${'- '.repeat(500_000)}hunter2`, tooDeep],
  'maps in maps': [Array.from({ length: 1_000 }, (_, at) => `${' '.repeat(at)}hunter2:`).join('\n'), tooDeep],
  'keys of one map': [Array.from({ length: 80_000 }, (_, at) => `key${at}: 1`).join('\n'), tooMany],
  'commas in a list': [`[${','.repeat(1_000_000)}]`, tooMany],
  'empty strings': ['"'.repeat(1_000_000), tooMany],
  'unknown directives': ['%x\n'.repeat(300_000), tooMany],
  'unknown tags': ['- !x 1\n'.repeat(100_000), tooMany],
  'aliases of one anchor': [`a: &a hunter2\nb: [${'*a,'.repeat(9_000)}]`, tooManyAliases],
  'aliases of many anchors': [
    Array.from({ length: 1_000 }, (_, at) => `a${at}: &a${at} x\nb${at}: *a${at}`).join('\n'),
    tooManyAliases,
  ],
} as const;

test.each(Object.entries(bombs))(
  'YAML with too many %s is refused before the library composes values',
  (_, [content, problem]) => {
    const { value, faults } = readYaml(content);
    expect(value).toBeUndefined();
    expect(faults[0]).toMatch(new RegExp(`^line \\d+, column \\d+: ${problem}$`));
    expect(faults).toHaveLength(1);
    expect(parseRegistries(content)).toBeUndefined();
  },
);

test('the error for a YAML bomb does not quote the text', () => {
  expect(() => parseYaml(bombs['maps in maps'][0])).toThrow(/^line 64, column 71: is nested more than/);
});

test('at most 20 faults of a YAML text are listed', () => {
  expect(readYaml('- @x\n'.repeat(1_000)).faults).toHaveLength(20);
});

test('the error for a YAML bomb in a facts file names the file', async () => {
  const path = `${await temporaryFolder()}/facts.yaml`;
  await writeFile(path, bombs['flow lists'][0]);
  await expect(factsSetting(nodeHost(), path)).rejects.toMatchObject({
    reason: 'InvalidSettings',
    message: expect.stringContaining(`${path}: line 1, column 6`),
  });
});
