import { expect, test } from 'vitest';
import {
  environmentOf,
  registryDomain,
  vaultDomain,
} from '../../../../../src/agent/clouds/azure/environments.ts';

test.each([
  ['AzurePublicCloud', 'public', 'vault.azure.net', 'azurecr.io'],
  ['AZUREPUBLICCLOUD', 'public', 'vault.azure.net', 'azurecr.io'],
  ['AzureUSGovernmentCloud', 'usgovernment', 'vault.usgovcloudapi.net', 'azurecr.us'],
  ['azurechinacloud', 'china', 'vault.azure.cn', 'azurecr.cn'],
])('environmentOf finds the cloud %s and its domains', (azEnvironment, environment, vaults, registries) => {
  expect(environmentOf(azEnvironment)).toBe(environment);
  expect(vaultDomain(environmentOf(azEnvironment))).toBe(vaults);
  expect(registryDomain(environmentOf(azEnvironment))).toBe(registries);
});

test.each(['', 'AzureStack'])('environmentOf refuses the unknown cloud %j', (azEnvironment) => {
  expect(() => environmentOf(azEnvironment)).toThrow(/azure\.environment/);
});
