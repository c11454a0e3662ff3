import { expect, test } from 'vitest';
import { environmentOf, vaultDomain } from '../../../../../src/agent/cloud/azure/clouds.ts';

test.each([
  ['AzurePublicCloud', 'public', 'vault.azure.net'],
  ['AZUREPUBLICCLOUD', 'public', 'vault.azure.net'],
  ['AzureUSGovernmentCloud', 'usgovernment', 'vault.usgovcloudapi.net'],
  ['azurechinacloud', 'china', 'vault.azure.cn'],
])('%s', (azEnvironment, environment, domain) => {
  expect(environmentOf(azEnvironment)).toBe(environment);
  expect(vaultDomain(environmentOf(azEnvironment))).toBe(domain);
});

test.each(['', 'AzureStack'])('%j is not guessed at', (azEnvironment) => {
  expect(() => environmentOf(azEnvironment)).toThrow(/azure\.environment/);
});
