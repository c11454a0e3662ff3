import { expect, test } from 'vitest';
import { Secret } from '../../../../../src/agent/engine/secret.ts';
import { TrustRoutes } from '../../../../../src/agent/host/http/trust-routes.ts';
import { bellInterval } from '../../../../../src/agent/parts/maintenance/index.ts';
import { issue, makeAuthority } from '../../../../lab/standins/k3s-certificates.ts';

const authority = makeAuthority('k3s-ca');
const { certificate: ca } = authority;

function identified() {
  const { certificate, key } = issue(authority, { commonName: 'system:admin' });
  return { ca, identity: { certificate, key: new Secret(key) } };
}

test('each trust has its own connections, and the same trust keeps them', () => {
  const routes = new TrustRoutes();
  const trusts = [
    'anybody' as const,
    { ca },
    { ca, anyName: true },
    { ca: makeAuthority('another').certificate },
  ];
  const agents = [...trusts, identified(), identified()].map((trust) => routes.route(trust).agent);
  expect(new Set(agents).size).toBe(6);
  expect(trusts.map((trust) => routes.route(trust).agent)).toEqual(agents.slice(0, 4));
});

test('the connections of the least recently used trust are forgotten first', () => {
  const routes = new TrustRoutes();
  const [first, second] = [identified(), identified()];
  const { agent } = routes.route(first);
  const { agent: forgotten } = routes.route(second);
  for (let renewal = 0; renewal < 7; renewal += 1) {
    routes.route(first);
    routes.route(identified());
  }
  expect(routes.route(first).agent).toBe(agent);
  expect(routes.route(second).agent).not.toBe(forgotten);
});

test('a connection to the Kubernetes API outlives the pause between two looks at the requests of the fleet', () => {
  const { agent } = new TrustRoutes().route(identified());
  expect(agent.options).toMatchObject({ keepAlive: true });
  expect(agent.options.timeout).toBeGreaterThan(bellInterval + 10_000);
  // kube-apiserver closes connections that are idle for 90 seconds.
  expect(agent.options.timeout).toBeLessThan(80_000);
});

test('a connection to any other server is kept for four seconds', () => {
  expect(new TrustRoutes().route({ ca }).agent.options.timeout).toBe(4_000);
});
