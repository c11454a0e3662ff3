import { expect, test } from 'vitest';
import { bypassesProxy } from '../../../../../src/agent/host/http/proxy-bypass.ts';

test.each([
  ['169.254.169.254', [], true],
  ['127.0.0.1', [], true],
  ['localhost', [], true],
  ['[::1]', [], true],
  ['vault.azure.net', [], false],
  ['vault.azure.net', ['vault.azure.net'], true],
  ['Vault.Azure.net', ['VAULT.azure.net'], true],
  ['my.vault.azure.net', ['vault.azure.net'], false],
  ['my.vault.azure.net', ['.vault.azure.net'], true],
  ['vault.azure.net', ['.vault.azure.net'], false],
  ['badvault.azure.net', ['.vault.azure.net'], false],
  ['my.vault.azure.net.other.test', ['.vault.azure.net'], false],
  ['10.1.2.3', ['10.1.2.3'], true],
  ['10.1.2.3', ['10.0.0.0/8'], true],
  ['11.1.2.3', ['10.0.0.0/8'], false],
  ['[fd00::5]', ['fd00::/8'], true],
  ['[fd00::5]', ['10.0.0.0/8'], false],
  ['10.1.2.3', ['10.0.0.0/99', 'x/y', '/'], false],
  ['ten.test', ['10.0.0.0/8', '', ' '], false],
  ['anything.test', ['*'], true],
])('bypassesProxy(%s) with noProxy %j returns %s', (host, noProxy, bypassed) => {
  expect(bypassesProxy(host, noProxy)).toBe(bypassed);
});
