import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { clouds } from '../../../../src/agent/clouds/index.ts';
import { powerfulVariables } from '../../../../src/launcher/environment.ts';

describe.each(Object.entries(clouds))('cloud %s', (name, driver) => {
  test('is held to the contract of clouds, by its record', () => {
    const file = `test/contract/cloud-${name}.test.ts`;
    expect(existsSync(file), file).toBe(true);
    expect(readFileSync(file, 'utf8')).toContain(`clouds.${name}.create(`);
  });

  test('reads no variable of the environment that the launcher leaves in it', () => {
    const read = driver.scrubbedVariables;
    const environment = Object.fromEntries(read.map((variable) => [variable, 'x']));
    expect(powerfulVariables(environment)).toEqual([...read].sort());
  });
});
