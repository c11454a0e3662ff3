import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../integration/host/folder.ts';
import { readRegistries } from '../lab/standins/k3s-registries.ts';

// A real K3s 1.36 reports "yaml: unmarshal errors:\n  line N: cannot unmarshal ...".
test.each([
  ['plain text\n', 1, '!!str `plain t` into registries.Registry'],
  ['# mine\n\nmirrors:\n  docker.io:\n    endpoint: https://a.io\n', 5, '!!str `https:/` into []string'],
  ['mirrors:\n  docker.io: {}\n  a.io:\n    - x\n', 4, '!!seq into registries.Mirror'],
  ['configs:\n  a.io:\n    auth:\n      username: u\n      password: [p]\n', 5, '!!seq into string'],
])(
  'the K3s stand-in reports the line at which a registries.yaml has a value of the wrong type: %j',
  async (text, line, why) => {
    const path = `${await temporaryFolder()}/registries.yaml`;
    await writeFile(path, text);
    expect(() => readRegistries(path)).toThrow(
      `yaml: unmarshal errors:\n  line ${line}: cannot unmarshal ${why}`,
    );
  },
);
