import { expect, test } from 'vitest';
import { managedIdentity } from '../../../../../src/agent/clouds/azure/identity.ts';
import { Recorded } from '../../../../../src/agent/engine/errors.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';

// MSAL keeps using the network client of the first credential in a process, so this file creates only one credential.
// test/integration/azure covers the failures of the endpoint.
test('managedIdentity requests tokens one at a time and passes on errors of the Host', async () => {
  let running = 0;
  const most: number[] = [];
  const recorded = new Recorded('noted');
  const answers: (Error | undefined)[] = [recorded, undefined, undefined];
  const host = memoryHost().onRequest(
    { url: /^http:\/\/imds\/metadata\/identity\/oauth2\/token/ },
    async () => {
      running += 1;
      most.push(running);
      await Promise.resolve();
      running -= 1;
      return (
        answers.shift() ?? {
          body: JSON.stringify({
            access_token: 'a',
            expires_in: '86399',
            resource: 'r',
            token_type: 'Bearer',
          }),
        }
      );
    },
  );
  const identity = managedIdentity({ host, imdsEndpoint: 'http://imds', clientId: undefined });

  await expect(identity.getToken('https://vault.azure.net/.default')).rejects.toBe(recorded);
  const audiences = ['https://vault.azure.net', 'https://containerregistry.azure.net'];
  const tokens = await Promise.all(audiences.map((audience) => identity.getToken(`${audience}/.default`)));

  expect(tokens.map((each) => each?.token)).toEqual(['a', 'a']);
  expect(most).toEqual([1, 1, 1]);
});
