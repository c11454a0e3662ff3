import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import type { CloudDriver } from '../../../../src/agent/clouds/driver.ts';
import { clouds } from '../../../../src/agent/clouds/index.ts';
import { metadataOf } from '../../../../src/agent/clouds/metadata.ts';
import { bypassesProxy } from '../../../../src/agent/host/http/proxy-bypass.ts';
import { defaults } from '../../../../src/agent/settings/defaults.ts';
import { formedValues } from '../../../../src/agent/settings/known-keys.ts';
import { valueAt } from '../../../../src/agent/settings/path.ts';
import { misfits } from '../../../../src/agent/settings/rules.ts';
import { secretNameMisfits } from '../../../../src/agent/settings/secret-names.ts';
import { sensitiveUrls } from '../../../../src/agent/settings/section.ts';
import { sections } from '../../../../src/agent/settings/sections.ts';
import { powerfulVariables } from '../../../../src/launcher/environment.ts';

describe.each(Object.entries<CloudDriver>(clouds))('cloud %s', (name, driver) => {
  test('words its hints as sentences, except the hints firewall and nameServers, which are sentence fragments', () => {
    const { firewall, nameServers, ...sentences } = driver.hints;
    for (const words of [firewall, nameServers]) {
      expect(words).toMatch(/^[a-z].*[a-z]$/);
    }
    for (const sentence of Object.values(sentences)) {
      expect(sentence).toMatch(/^[A-Z].*\.$/);
    }
  });

  const { settings } = driver;

  const section = z.parse(settings.schema, settings.defaults);
  const [{ address, setting } = {}] = metadataOf(driver, section);

  test('bypasses the proxy for its metadata service, and needs consent for plain http to another address', () => {
    if (address === undefined) {
      return;
    }
    expect(bypassesProxy(address, [])).toBe(true);
    expect(misfits({ [name]: settings.defaults })).toEqual([]);
    if (setting === undefined) {
      return;
    }
    expect(sensitiveUrls({ [name]: settings }, {}).map(({ path }) => path.join('.'))).toContain(setting);
    const url = valueAt({ [name]: section }, setting.split('.'));
    expect(URL.parse(String(url))?.hostname).toBe(address);
  });

  test('has no default plain-http URL except that of its metadata service', () => {
    const plain = formedValues(section, settings.schema).filter(({ value }) => /^http:/.test(String(value)));
    const hosts = plain.map(({ value }) => URL.parse(String(value))?.hostname);
    expect(hosts).toEqual(hosts.map(() => address));
  });

  test('has its settings in the section of the same name', () => {
    expect(new Map(Object.entries<object>(sections)).get(name)).toBe(settings);
  });

  test('accepts the default names of secrets', () => {
    expect(secretNameMisfits({ ...defaults, cloud: name })).toEqual([]);
  });

  test('reads only environment variables that the launcher removes', () => {
    const read = driver.scrubbedVariables;
    const environment = Object.fromEntries(read.map((variable) => [variable, 'x']));
    expect(powerfulVariables(environment)).toEqual([...read].sort());
  });
});
