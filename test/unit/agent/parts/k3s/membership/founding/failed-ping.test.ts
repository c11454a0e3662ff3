import { expect, test } from 'vitest';
import { NodeError } from '../../../../../../../src/agent/engine/errors.ts';
import { systemError } from '../../../../../../../src/agent/host/files/file-errors.ts';
import { judgeFailedPing } from '../../../../../../../src/agent/parts/k3s/membership/founding/failed-ping.ts';
import { memoryHost } from '../../../../../../lab/memory-host.ts';
import { aCa } from '../certificates.ts';

const server = 'https://10.0.0.6:6443';

/** Returns the error of a ping whose request failed with this reason and, below it, this code of the system. */
function pingError(reason: 'Unreachable' | 'TimedOut' | 'TlsUntrusted', code?: string): NodeError {
  const cause = new NodeError(reason, 'no', code === undefined ? {} : { cause: systemError(code) });
  return new NodeError('ServerUnreachable', 'no', { cause });
}

test.each([
  ['nothing listens', pingError('Unreachable', 'ECONNREFUSED'), 'silent'],
  ['no code is known', pingError('Unreachable'), 'silent'],
  ['the name does not exist', pingError('Unreachable', 'ENOTFOUND'), 'unknownName'],
  ['no DNS server answers', pingError('Unreachable', 'EAI_AGAIN'), 'noDns'],
  ['the certificate is not trusted', pingError('TlsUntrusted'), 'answers'],
  ['the answer is not that of K3s', new NodeError('ServerUnreachable', 'no'), 'answers'],
  ['K3s starts', new NodeError('ServerNotReady', 'no'), 'answers'],
] as const)('a failed ping is judged if %s', async (_, error, expected) => {
  expect(await judgeFailedPing(memoryHost(), server, error)).toBe(expected);
});

test.each([
  ['shows a certificate', aCa(), 'answers'],
  ['cannot be reached any more', new NodeError('Unreachable', 'no'), 'silent'],
  ['drops all packets', new NodeError('TimedOut', 'no'), 'silent'],
  ['breaks the handshake', new NodeError('TlsUntrusted', 'no'), 'answers'],
] as const)(
  'a server that answers no ping in time is judged by its handshake: it %s',
  async (_, shown, expected) => {
    const host = memoryHost().onPeer(server, shown);
    expect(await judgeFailedPing(host, server, pingError('TimedOut'))).toBe(expected);
  },
);

test('an error in the code is not judged', async () => {
  await expect(judgeFailedPing(memoryHost(), server, new TypeError('x'))).rejects.toBeInstanceOf(TypeError);
});
