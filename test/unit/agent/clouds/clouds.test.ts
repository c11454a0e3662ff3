import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import type { CloudDriver } from '../../../../src/agent/clouds/driver.ts';
import { clouds } from '../../../../src/agent/clouds/index.ts';
import { bypassesProxy } from '../../../../src/agent/host/http/proxy-bypass.ts';
import { defaults } from '../../../../src/agent/settings/defaults.ts';
import { misfits } from '../../../../src/agent/settings/rules.ts';
import { secretNameMisfits } from '../../../../src/agent/settings/secret-names.ts';
import { sections } from '../../../../src/agent/settings/sections.ts';
import { powerfulVariables } from '../../../../src/launcher/environment.ts';

describe.each(Object.entries<CloudDriver>(clouds))('cloud %s', (name, driver) => {
  test('is told of in whole sentences, and its firewall and name servers in words that stand in one', () => {
    const { firewall, nameServers, ...sentences } = driver.hints;
    for (const words of [firewall, nameServers]) expect(words).toMatch(/^[a-z].*[a-z]$/);
    for (const sentence of Object.values(sentences)) expect(sentence).toMatch(/^[A-Z].*\.$/);
  });

  const { settings } = driver;

  test('has a metadata service that no proxy is asked for, and that may be plain http, or none', () => {
    const { address } = driver.metadata(z.parse(settings.schema, settings.defaults)) ?? {};
    if (address === undefined) return;
    expect(bypassesProxy(address, [])).toBe(true);
    const written = { [name]: settings.defaults };
    expect(misfits(written)).toEqual([]);
  });

  test('has the section of its name, which no other takes', () => {
    expect(new Map(Object.entries<object>(sections)).get(name)).toBe(settings);
  });

  test('takes the names that secrets have by default', () => {
    expect(secretNameMisfits({ ...defaults, cloud: name })).toEqual([]);
  });

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
