import { describe, expect, test } from 'vitest';
import { boundedTokens } from '../../../../src/agent/settings/yaml-bounds.ts';

describe('a YAML text', () => {
  test('may have at most a megabyte', () => {
    const text = `#${' '.repeat(1_048_575)}`;
    expect(boundedTokens(text)).toHaveProperty('tokens');
    expect(boundedTokens(`${text} `)).toMatchObject({ at: 0, text: expect.stringContaining('1 MiB') });
  });

  test('may be nested at most 64 levels deep, including the document', () => {
    expect(boundedTokens('['.repeat(63) + ']'.repeat(63))).toHaveProperty('tokens');
    expect(boundedTokens('['.repeat(64))).toMatchObject({
      at: 64,
      text: expect.stringContaining('64 levels'),
    });
  });

  test('may have at most 30000 parts, including the beginning of the document', () => {
    expect(boundedTokens(`[${','.repeat(29_998)}`)).toHaveProperty('tokens');
    expect(boundedTokens(`[${','.repeat(29_999)}`)).toMatchObject({
      at: 30_000,
      text: expect.stringContaining('30000 keys'),
    });
  });
});
