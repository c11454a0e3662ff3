import { expect, test } from 'vitest';
import { withoutLogins } from '../../../../src/agent/engine/url-login.ts';

test.each([
  ['https://x:token@github.com/acme/fleet', 'https://github.com/acme/fleet'],
  ['https://x:to@ken@github.com/acme/fleet', 'https://github.com/acme/fleet'],
  ['SSH://token@github.com/acme/fleet', 'SSH://github.com/acme/fleet'],
  ['https://example.com/app.tgz?sig=token', 'https://example.com/app.tgz'],
  ['Get "https://token@a.io/?t=token": EOF', 'Get "https://a.io/": EOF'],
  ['[{"a":"oci://token@a.io/b"},{"c":"https://token@d.io"}]', '[{"a":"oci://a.io/b"},{"c":"https://d.io"}]'],
  ['git@github.com:acme/fleet', 'git@github.com:acme/fleet'],
  ['https://a.io/x@y is not team@b.io?', 'https://a.io/x@y is not team@b.io?'],
])('withoutLogins of %j is %j', (text, expected) => {
  expect(withoutLogins(text)).toBe(expected);
});
