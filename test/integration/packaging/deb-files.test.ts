import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { commentedDefaults } from '../../../packaging/deb-files.ts';
import { defaults } from '../../../src/agent/settings/defaults.ts';

test('the settings file of the package has only comments, and equals the defaults once uncommented', () => {
  const text = commentedDefaults();
  expect(parse(text)).toBe(null);
  const [, settings = ''] = text.split('#\n');
  expect(parse(settings.replaceAll(/^# /gm, ''))).toEqual(defaults);
});
