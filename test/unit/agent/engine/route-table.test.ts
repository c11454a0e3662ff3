import { expect, test } from 'vitest';
import { defaultInterface } from '../../../../src/agent/engine/route-table.ts';

const head = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n';

function route(name: string, { to = '00000000', flags = '0003', metric = 0, mask = '00000000' } = {}) {
  return `${name}\t${to}\t0101000A\t${flags}\t0\t0\t${metric}\t${mask}\t0\t0\t0                      \n`;
}

test.each([
  [
    'returns the interface of the default route',
    route('lan', { to: '0002000A', mask: '00FFFFFF' }) + route('ens3'),
    'ens3',
  ],
  [
    'returns the interface of the default route with the lowest metric',
    route('wlan0', { metric: 600 }) + route('enp0s6', { metric: 100 }),
    'enp0s6',
  ],
  ['ignores a default route that rejects packets', route('lo', { flags: '0201' }), undefined],
  ['ignores a default route that is down', route('ens3', { flags: '0002' }), undefined],
  ['ignores a route to half the internet', route('tun0', { mask: '00000080' }), undefined],
  ['returns undefined without any route', '', undefined],
])('defaultInterface %s', (_, routes, name) => {
  expect(defaultInterface(head + routes)).toBe(name);
});

test('defaultInterface returns undefined for empty text', () => {
  expect(defaultInterface('')).toBeUndefined();
});
