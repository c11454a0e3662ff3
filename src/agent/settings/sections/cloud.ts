import * as z from 'zod/mini';
import { about } from '../about.ts';
import { httpsUrl, url } from '../address-forms.ts';
import { guid, ipAddress, loginServer, secretName, vaultName, words } from '../forms.ts';

export const cloud = about(
  'Where this node runs: azure asks the instance metadata service, static takes everything from these settings.',
  z.enum(['azure', 'static']),
);

export const azure = about(
  'For cloud azure.',
  z.strictObject({
    imdsEndpoint: about('Where the instance metadata service answers.', url),
    environment: about(
      'The Azure cloud; by default what the metadata service says.',
      z.optional(z.enum(['public', 'usgovernment', 'china'])),
    ),
    identity: z.strictObject({
      clientId: about(
        'The client id of a user-assigned managed identity; by default the system-assigned one.',
        z.optional(guid),
      ),
    }),
    keyVault: z.strictObject({
      name: about('The Key Vault that holds the join token.', z.optional(vaultName)),
      url: about('The address of the Key Vault, in place of its name.', z.optional(httpsUrl)),
    }),
    registryAudience: about('The audience of the token that is exchanged at the container registry.', url),
  }),
);

export const staticCloud = about(
  'For cloud static: what a cloud would say of this VM.',
  z.strictObject({
    computerName: about('The computer name; by default the host name.', z.optional(words)),
    vmId: about('What tells this VM from the others; by default the machine id.', z.optional(words)),
    location: about('The region.', z.optional(words)),
    address: about('The primary private address; by default what the machine has.', z.optional(ipAddress)),
    tags: about('Instance tags.', z.record(words, z.string())),
    secrets: about('The file of each secret, by secret name.', z.record(secretName, words)),
    registries: about(
      'User name and password file of each registry, by login server.',
      z.record(loginServer, z.strictObject({ username: words, passwordFile: words })),
    ),
  }),
);
