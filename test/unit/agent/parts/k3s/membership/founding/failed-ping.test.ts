import { describe, expect, test } from 'vitest';
import { NodeError } from '../../../../../../../src/agent/engine/errors.ts';
import { systemError } from '../../../../../../../src/agent/host/files/file-errors.ts';
import {
  judgeFailedPing,
  signAt,
} from '../../../../../../../src/agent/parts/k3s/membership/founding/failed-ping.ts';
import { memoryHost } from '../../../../../../lab/memory-host.ts';
import { aCa } from '../certificates.ts';

const server = 'https://10.0.0.6:6443';

/** Returns the error of a connection; with several codes, that of a name with as many addresses. */
function failed(reason: 'Unreachable' | 'TimedOut' | 'TlsUntrusted', ...codes: string[]): NodeError {
  const [first, ...others] = codes.map(systemError);
  const cause = others.length === 0 ? first : new AggregateError([first, ...others]);
  return new NodeError(reason, 'no', { cause });
}

/** Returns the error of a connection whose cause has a number as its code, and a cause with this code. */
function numbered(code: string): NodeError {
  const cause = Object.assign(new Error('no', { cause: systemError(code) }), { code: 5 });
  return new NodeError('Unreachable', 'no', { cause });
}

function pingError(cause: NodeError): NodeError {
  return new NodeError('ServerUnreachable', 'no', { cause });
}

describe('a failed ping is judged', () => {
  test.each([
    ['nothing listens', pingError(failed('Unreachable', 'ECONNREFUSED')), 'silent'],
    [
      'no address of the name accepts it',
      pingError(failed('Unreachable', 'ENETUNREACH', 'ECONNREFUSED')),
      'silent',
    ],
    ['the code is that of a cause', pingError(numbered('ECONNREFUSED')), 'silent'],
    ['the name does not exist', pingError(failed('Unreachable', 'ENOTFOUND')), 'unknownName'],
    ['no DNS server answers', pingError(failed('Unreachable', 'EAI_AGAIN')), 'noDns'],
    ['the certificate is not trusted', pingError(failed('TlsUntrusted')), 'answers'],
    ['the answer is not that of K3s', new NodeError('ServerUnreachable', 'no'), 'answers'],
    ['K3s starts', new NodeError('ServerNotReady', 'no'), 'answers'],
  ] as const)('by itself if %s', async (_, error, expected) => {
    expect(await judgeFailedPing(memoryHost(), server, error)).toBe(expected);
  });

  test.each([
    ['is late', failed('TimedOut')],
    ['is cut', failed('Unreachable', 'ECONNRESET')],
    ['is lost on the way', failed('Unreachable', 'ETIMEDOUT')],
    ['is lost at one of two addresses', failed('Unreachable', 'ECONNREFUSED', 'ETIMEDOUT')],
    ['is forbidden here', failed('Unreachable', 'EPERM')],
    ['has no code', failed('Unreachable')],
  ])('by a second connection if it %s', async (_, error) => {
    const host = memoryHost().onPeer(server, aCa());
    expect(await judgeFailedPing(host, server, pingError(error))).toBe('answers');
    host.onPeer(server, failed('Unreachable', 'ECONNREFUSED'));
    expect(await judgeFailedPing(host, server, pingError(error))).toBe('silent');
  });
});

test.each([
  ['shows a certificate', aCa(), 'answers'],
  ['breaks the handshake', failed('TlsUntrusted'), 'answers'],
  ['sends something else', new NodeError('UnexpectedAnswer', 'no'), 'answers'],
  ['accepts the connection and hangs', failed('TimedOut'), 'hangs'],
  ['is not asked, as this machine forbids it', failed('Unreachable', 'EPERM'), 'hangs'],
  ['refuses the connection at one address only', failed('Unreachable', 'ECONNREFUSED', 'EPERM'), 'hangs'],
  ['fails for an unknown reason', failed('Unreachable'), 'hangs'],
  ['has no address', new NodeError('Unreachable', 'no', { cause: new AggregateError([]) }), 'hangs'],
  ['refuses the connection', failed('Unreachable', 'ECONNREFUSED'), 'silent'],
  ['is on no route', failed('Unreachable', 'EHOSTUNREACH'), 'silent'],
  ['accepts no connection in time', failed('Unreachable', 'ETIMEDOUT'), 'silent'],
  ['closes the connection before TLS', failed('Unreachable', 'ECONNRESET'), 'silent'],
  ['accepts no connection at any address', failed('Unreachable', 'ECONNRESET', 'ETIMEDOUT'), 'silent'],
  ['has a name that does not exist any more', failed('Unreachable', 'ENOTFOUND'), 'unknownName'],
  ['has a name for which no DNS server answers', failed('Unreachable', 'EAI_AGAIN'), 'noDns'],
] as const)('a server that %s is judged by its handshake', async (_, shown, expected) => {
  expect(await signAt(memoryHost().onPeer(server, shown), server)).toBe(expected);
});

test('a connection may stay silent for as long as a balancer looks for a living server', async () => {
  const host = memoryHost().onPeer(server, aCa());
  await signAt(host, server);
  expect(host.looks).toEqual([`certificate of ${server} within 15000 ms`]);
});

test('an error in the code is not judged', async () => {
  await expect(judgeFailedPing(memoryHost(), server, new TypeError('x'))).rejects.toBeInstanceOf(TypeError);
});
