import { expect, test } from 'vitest';
import { readMetadata } from '../../../../../src/agent/clouds/oracle/imds-request.ts';
import type { HttpRequest } from '../../../../../src/agent/engine/host.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';

const url = 'http://169.254.169.254/opc/v2/instance/';

test.each(['http://169.254.169.254', 'http://169.254.169.254/', 'http://169.254.169.254//'])(
  'readMetadata requests a path of version 2 with its header, and returns the body: endpoint %s',
  async (endpoint) => {
    const asked: HttpRequest[] = [];
    const host = memoryHost().onGet(url, (request) => {
      asked.push(request);
      return 'the body';
    });
    expect(await readMetadata(host, endpoint, 'instance/')).toBe('the body');
    expect(asked).toMatchObject([
      { url, headers: { authorization: 'Bearer Oracle' }, direct: true, timeout: 5_000 },
    ]);
  },
);

test('readMetadata never tries version 1, and names Oracle Cloud and its setting in an error', async () => {
  const host = memoryHost().onGet(url, { status: 401 });
  await expect(readMetadata(host, 'http://169.254.169.254', 'instance/')).rejects.toMatchObject({
    reason: 'UnexpectedAnswer',
    message: expect.stringMatching(/outside Oracle Cloud.*in Oracle Cloud check oracle\.imdsEndpoint/),
  });
  expect(host.looks).toEqual([url]);
});
