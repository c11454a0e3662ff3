import type { CloudDriver } from '../driver.ts';
import { azureCloud } from './azure.ts';
import { azureHints } from './hints.ts';
import { registryManners } from './registry-manners.ts';
import { azureSettings, vaultSecretName } from './settings.ts';

/** The driver for Azure, which uses the VM's managed identity. */
export const azure: CloudDriver<typeof azureSettings.schema> = {
  summary: 'asks the instance metadata service',
  settings: azureSettings,
  // Every VM in Azure has this asset tag (cloud-init, tools/ds-identify).
  signs: { cloudId: 'azure', dmi: { chassis_asset_tag: '7783-7084-3265-9085-8269-3286-77' } },
  secretName: vaultSecretName,
  tags: 'metadata',
  metadata: {
    locate: ({ imdsEndpoint }) => ({
      address: new URL(imdsEndpoint).hostname,
      setting: 'azure.imdsEndpoint',
    }),
  },
  events: 'polled',
  hints: azureHints,
  registries: registryManners,
  loginRenewers: ['refresh-acr-credentials'],
  // Environment variables that make @azure/identity, @azure/logger or msal-node choose an identity, endpoint or region,
  // or log secrets.
  scrubbedVariables: [
    'AZURE_AUTHORITY_HOST',
    'AZURE_CLIENT_ID',
    'AZURE_FEDERATED_TOKEN_FILE',
    'AZURE_LOG_LEVEL',
    'AZURE_POD_IDENTITY_AUTHORITY_HOST',
    'AZURE_REGIONAL_AUTHORITY_NAME',
    'AZURE_TENANT_ID',
    'AZURE_TOKEN_CREDENTIALS',
    'DEFAULT_IDENTITY_CLIENT_ID',
    'IDENTITY_ENDPOINT',
    'IDENTITY_HEADER',
    'IDENTITY_SERVER_THUMBPRINT',
    'IMDS_ENDPOINT',
    'MSAL_FORCE_REGION',
    'MSI_ENDPOINT',
    'MSI_SECRET',
    'REGION_NAME',
  ],
  create: azureCloud,
};
