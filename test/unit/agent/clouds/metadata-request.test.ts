import { describe, expect, test } from 'vitest';
import { askMetadata, type MetadataRequest } from '../../../../src/agent/clouds/metadata-request.ts';
import type { HttpRequest } from '../../../../src/agent/engine/host.ts';
import { memoryHost, type ResponseAnswer, unreachable } from '../../../lab/memory-host.ts';

const url = 'http://169.254.169.254/moon';
const elsewhere = 'On a machine outside Moon set cloud to static (--cloud static --role server)';

function ask(answer: ResponseAnswer, changes: Partial<MetadataRequest> = {}) {
  const request = { url, cloud: 'Moon', setting: 'moon.tower', ...changes };
  return askMetadata(memoryHost().onGet(url, answer), request);
}

async function failureOf(answer: ResponseAnswer, changes: Partial<MetadataRequest> = {}): Promise<unknown> {
  return ask(answer, changes).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
}

describe('askMetadata', () => {
  test('requests the URL without a proxy and with a limit of five seconds, and returns the answer', async () => {
    const asked: HttpRequest[] = [];
    const answer = (request: HttpRequest) => {
      asked.push(request);
      return 'tides';
    };
    expect(await ask(answer, { headers: { tide: 'high' } })).toMatchObject({ status: 200, body: 'tides' });
    await ask(answer);
    expect(asked).toEqual([
      { method: 'GET', url, headers: { tide: 'high' }, timeout: 5_000, direct: true },
      { method: 'GET', url, headers: {}, timeout: 5_000, direct: true },
    ]);
  });

  test('reports a service that does not answer, with the remark of the cloud', async () => {
    const cause = unreachable(url);
    expect(await failureOf(cause, { remark: async () => ' The tower is dark.' })).toMatchObject({
      reason: 'IdentityUnavailable',
      endedBy: 'time',
      cause,
      message: `The instance metadata service does not answer yet: ${cause.message} The tower is dark. ${elsewhere}; in Moon check moon.tower and the firewall of this host.`,
    });
    expect(await failureOf(cause)).toMatchObject({
      message: expect.stringContaining(`: ${cause.message} ${elsewhere}`),
    });
  });

  test('passes on an error that does not come from the Host', async () => {
    const bug = new TypeError('undefined is not a function');
    expect(await failureOf(bug)).toBe(bug);
  });

  test.each([404, 410, 500, 503])(
    'reports the status %i as an outage, and obeys its Retry-After',
    async (status) => {
      expect(await failureOf({ status, headers: { 'retry-after': '7' } })).toMatchObject({
        reason: 'IdentityUnavailable',
        endedBy: 'time',
        retry: { after: 7_000 },
        message: `The instance metadata service answers ${status} at ${url}. In Moon that passes, and it is asked again. ${elsewhere}.`,
      });
    },
  );

  test('reports the status 429 as Throttled, and obeys its Retry-After', async () => {
    expect(await failureOf({ status: 429, headers: { 'retry-after': '7' } })).toMatchObject({
      reason: 'Throttled',
      endedBy: 'time',
      retry: { after: 7_000 },
      message: `The instance metadata service answers 429 at ${url}. It is asked again in a moment.`,
    });
  });

  test.each([
    ['the message', 400, { error: { code: 'Bad', message: 'No header.' } }, {}, ' It says: No header.'],
    ['the code if there is no message', 499, { error: 'invalid_request' }, {}, ' It says: invalid_request.'],
    ['no detail if the answer is empty', 401, {}, {}, ''],
    [
      'the target of a redirection',
      302,
      {},
      { location: 'https://login.example/x?token=canary' },
      ' It redirects to login.example, and nothing was sent there.',
    ],
  ])(
    'reports any other status as an unexpected answer, with %s',
    async (_what, status, body, headers, said) => {
      expect(await failureOf({ status, headers, body: JSON.stringify(body) })).toMatchObject({
        reason: 'UnexpectedAnswer',
        endedBy: 'person',
        message: `The instance metadata service answers ${status} at ${url}.${said} ${elsewhere}; in Moon check moon.tower, and that nothing on the way adds headers.`,
      });
    },
  );
});
