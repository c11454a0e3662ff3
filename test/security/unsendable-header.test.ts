import { expect, test } from 'vitest';
import { nodeHost } from '../../src/agent/host/node-host.ts';

/** An address on which nothing listens; the invalid header stops the request before it is sent. */
const url = 'http://127.0.0.1:1/v2/';

test.each([
  ['a line break', 'Bearer hunter2\nx: y'],
  ['a character beyond latin-1', 'Bearer hunter2\u0100'],
  ['a NUL', 'Bearer hunter2\0'],
])(
  'a token that a server sends with %s is reported as UnexpectedAnswer, and not quoted',
  async (_name, value) => {
    const asked = nodeHost().send({ method: 'GET', url, headers: { authorization: value } });
    await expect(asked).rejects.toMatchObject({
      reason: 'UnexpectedAnswer',
      message: expect.not.stringContaining('hunter2'),
    });
  },
);
