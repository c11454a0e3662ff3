import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import {
  consentAdvice,
  consentedSubjects,
  consents,
  consentWarnings,
  isConsented,
} from '../../../../src/agent/settings/consents.ts';
import { consent as consentSection } from '../../../../src/agent/settings/sections/consent.ts';
import { readYaml } from '../../../../src/agent/settings/yaml.ts';
import { someSettings } from '../a-node.ts';

const none = someSettings();
const given = someSettings({ consent: { tokenChange: ['3f2a9c1b2d4e', 'another'] } });
const legacy = someSettings({ consent: { serverChange: true, tokenChange: true } });

describe('consent', () => {
  test.each([
    ['is not given by default', none, ['3f2a9c1b2d4e'], false],
    ['covers the subjects that it names', given, ['3f2a9c1b2d4e'], true],
    ['does not cover another subject', given, ['3f2a9c1b2d4f'], false],
    ['does not cover a part of a subject', given, ['3f2a9c1b2d4'], false],
    ['covers several subjects only if it names each', given, ['3f2a9c1b2d4e', 'third'], false],
  ] as const)('%s', (_name, settings, subjects, expected) => {
    expect(isConsented(settings, 'tokenChange', ...subjects)).toBe(expected);
  });

  test('covers every subject if it is true, but no new join token', () => {
    expect(isConsented(legacy, 'serverChange', 'third')).toBe(true);
    expect(isConsented(legacy, 'tokenChange', 'third')).toBe(false);
    expect(isConsented(legacy, 'tokenChange')).toBe(false);
  });

  test('does not cover another kind of consent', () => {
    expect(isConsented(given, 'roleChange', '3f2a9c1b2d4e')).toBe(false);
  });

  test.each(['true', 'yes', 1, { 0: 'x' }, null, ['true'], [true]])('is not given by %j', (value) => {
    expect(isConsented({ consent: { tokenChange: value } }, 'tokenChange', 'x')).toBe(false);
  });
});

describe('consentedSubjects', () => {
  test.each([
    ['the valid names in a list', ['a', true, 1, 'b'], ['a', 'b']],
    ['nothing for true', true, []],
    ['nothing for a string', 'a', []],
    ['nothing by default', undefined, []],
  ])('returns %s', (_name, value, expected) => {
    expect(consentedSubjects({ consent: { tokenChange: value } }, 'tokenChange')).toEqual(expected);
  });
});

describe('consentAdvice', () => {
  test.each([
    ['tokenChange', ['3f2a9c1b2d4e'], 'consent: { tokenChange: [3f2a9c1b2d4e] }'],
    ['tokenChange', ['123456789012'], 'consent: { tokenChange: ["123456789012"] }'],
    ['tokenChange', ['1234567e8901'], 'consent: { tokenChange: ["1234567e8901"] }'],
    [
      'serverChange',
      ['https://10.0.0.9:6443', 'a1'],
      'consent: { serverChange: [https://10.0.0.9:6443, a1] }',
    ],
    [
      'foreignMirrors',
      ['a.io=http://[fd00::5]:5000'],
      'consent: { foreignMirrors: ["a.io=http://[fd00::5]:5000"] }',
    ],
  ] as const)('returns a line that gives the consent %s to %j', (what, subjects, line) => {
    expect(consentAdvice(none, what, ...subjects)).toBe(`add \`${line}\` to /etc/slipway/config.yaml`);
    const { value } = readYaml(line);
    const { consent } = Object(value);
    expect(z.parse(consentSection.schema, { ...none.consent, ...consent })[what]).toEqual(subjects);
  });

  test('repeats the subjects of the list that its line replaces', () => {
    expect(consentAdvice(given, 'tokenChange', 'third')).toContain('[3f2a9c1b2d4e, another, third]');
    expect(consentAdvice(given, 'tokenChange', 'another')).toContain('[3f2a9c1b2d4e, another]');
  });

  test('replaces the value true with a list that contains only the new subject', () => {
    expect(consentAdvice(legacy, 'tokenChange', '3f2a9c1b2d4e')).toContain('[3f2a9c1b2d4e]');
  });
});

describe('consent given as true', () => {
  test('is accepted with a warning', () => {
    expect(consentWarnings(none)).toEqual([]);
    expect(consentWarnings(given)).toEqual([]);
    expect(consentWarnings(legacy)).toEqual([
      'consent.tokenChange: true consents to nothing. Take it out, or write what its condition prints: ' +
        'consent: { tokenChange: [3f2a9c1b2d4e] }',
      'consent.serverChange: true consents to every later change of its kind as well. Take it out, or write what its ' +
        'condition prints: consent: { serverChange: [https://10.0.0.9:6443] }',
    ]);
  });

  test.each(Object.entries(consents))(
    'is accepted for %s only if the table allows true',
    (what, { takesTrue }) => {
      const written = { ...none.consent, [what]: true };
      expect(z.safeParse(consentSection.schema, written).success).toBe(takesTrue !== false);
      expect(isConsented({ consent: written }, what as keyof typeof consents, 'x')).toBe(takesTrue === true);
    },
  );
});
