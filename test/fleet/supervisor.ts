import type { HttpResponse, HttpSend } from '../../src/agent/engine/host.ts';
import { reveal } from '../../src/agent/engine/secret.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import type { FleetNode } from './fleet-node.ts';
import { clusterCa } from './fleet-node.ts';

/** The address of the server in the settings of agents. */
export const supervisor = 'https://10.0.0.4:6443';

/**
 * Answers what K3s answers itself on its port: its CA, whether it accepts a token, and a rotation of the token.
 * `killed` if K3s ends before it answers; `undefined` for a request to the Kubernetes API.
 */
export function answerSupervisor(
  servers: readonly FleetNode[],
  node: FleetNode,
  request: HttpSend,
): HttpResponse | 'killed' | undefined {
  const { pathname } = new URL(request.url);
  switch (pathname) {
    case '/ping':
      return { status: 200, headers: {}, body: 'pong' };
    case '/cacerts':
      return { status: 200, headers: {}, body: clusterCa };
    case '/v1-k3s/readyz':
      return { status: isAccepted(servers, request) ? 200 : 401, headers: {}, body: '' };
    case '/v1-k3s/encrypt/status':
      return { status: letsServerJoin(servers, node, request) ? 200 : 401, headers: {}, body: '{}' };
    case '/static/slipway/release.json':
      return published(servers);
    case '/v1-k3s/token':
      return node.passwords?.rotate(request) ?? { status: 404, headers: {}, body: '' };
    default:
      return undefined;
  }
}

/** Serves the file in which a server publishes its release, as K3s does. */
function published([server]: readonly FleetNode[]): HttpResponse {
  const body = server?.machine.files.text(nodePaths('/').k3s.publicRelease);
  return { status: body === undefined ? 404 : 200, headers: {}, body: body ?? '' };
}

/** True if the server that is asked accepts the password of a server. */
function letsServerJoin(
  [first]: readonly FleetNode[],
  node: FleetNode,
  { url, headers = {} }: HttpSend,
): boolean {
  const shown = reveal(headers.authorization ?? '').replace(/^Basic /, '');
  const [, password = ''] = /^server:(.*)$/.exec(Buffer.from(shown, 'base64').toString()) ?? [];
  const asked = url.startsWith(supervisor) ? first : node;
  return asked?.passwords?.accepts(password) ?? false;
}

function isAccepted([server]: readonly FleetNode[], { headers = {} }: HttpSend): boolean {
  const shown = reveal(headers.authorization ?? '').replace(/^Basic /, '');
  const [, password = ''] = /^node:(.*)$/.exec(Buffer.from(shown, 'base64').toString()) ?? [];
  return server?.passwords?.accepts(password) ?? false;
}
