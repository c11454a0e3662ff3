import { createHash } from 'node:crypto';
import { reveal } from '../../src/agent/engine/secret.ts';
import { parseToken } from '../../src/agent/parts/k3s/membership/token.ts';
import { type MemoryHost, unreachable } from '../lab/memory-host.ts';
import {
  type RotationStep,
  rotatePasswords,
  rowKey,
  rowKeys,
  type ServerFiles,
  startPasswords,
} from '../lab/standins/k3s-bootstrap.ts';
import type { Units } from './units.ts';

const folder = '/var/lib/rancher/k3s/server';
const url = 'https://127.0.0.1:6443/v1-k3s/token';

/** The passwords of the K3s server in a world. */
export interface WorldPasswords {
  /** The step of the next rotation after which K3s is killed, or answers 500. */
  trouble: { readonly step: RotationStep; readonly ends: 'killed' | 'answers 500' } | undefined;
  /** True if K3s refuses each request to rotate. */
  isRefusing: boolean;
  /** The number of requests to rotate that K3s has accepted. */
  readonly rotations: number;
  /** True if the running K3s lets a node join with this token. */
  accepts(token: string): boolean;
  /** True if the datastore has bootstrap data for this token, and for no other one. */
  belongsTo(token: string): boolean;
  /** Starts K3s with tokens; returns the line of a fatal error, or `undefined`. */
  start(server: string, agent: string | undefined): string | undefined;
}

/** Models the passwords of a server whose CA is `ca`, and its answers to requests to rotate the token. */
export function worldPasswords(host: MemoryHost, units: Units, ca: string): WorldPasswords {
  const at = (path: string) => `${folder}/${path}`;
  const files: ServerFiles = {
    read: (path) => host.files.text(at(path)),
    write: (path, text) => host.files.write(at(path), text, 0o600),
    modifiedAt: (path) => host.files.read(at(path))?.modifiedAt ?? 0,
  };
  const hash = createHash('sha256').update(ca).digest('hex');
  const writeToken = (password: string) =>
    host.files.write(at('token'), `K10${hash}::server:${password}`, 0o600);
  let running = { server: '', node: '', hasAgentToken: false };
  let rotations = 0;
  const made: WorldPasswords = {
    trouble: undefined,
    isRefusing: false,
    get rotations() {
      return rotations;
    },
    accepts: (token) => units.isActive(/^k3s.service$/) && running.node === token,
    belongsTo: (token) => String(rowKeys(files)) === rowKey(token),
    start(serverToken, agentToken) {
      const [server, agent] = [serverToken, agentToken].map((text) => parseToken(text ?? '')?.credential);
      if (server === undefined) {
        return 'level=fatal msg="token is empty"';
      }
      // A server that a test installed by hand has no bootstrap data yet.
      const kept = parseToken(host.files.text(at('token')) ?? '')?.credential;
      const error =
        (rowKeys(files).length === 0 && kept !== undefined
          ? startPasswords(files, { server: kept, agent })
          : undefined) ?? startPasswords(files, { server, agent });
      if (error !== undefined) {
        return `time="2026-08-01T10:00:00Z" level=fatal msg="${error}"`;
      }
      writeToken(server);
      if (agent !== undefined) {
        host.files.write(at('agent-token'), `K10${hash}::node:${agent}`, 0o600);
      }
      running = { server, node: agent ?? server, hasAgentToken: agent !== undefined };
      return undefined;
    },
  };
  host.onGet('https://127.0.0.1:6443/v1-k3s/encrypt/status', (request) => {
    const shown = reveal(request.headers?.authorization ?? '');
    return shown === `Basic ${Buffer.from(`server:${running.server}`).toString('base64')}`
      ? '{}'
      : { status: 401, body: 'not authorized' };
  });
  host.onRequest({ method: 'PUT', url }, (request) => {
    if (!units.isActive(/^k3s.service$/)) {
      return unreachable(url);
    }
    const shown = reveal(request.headers?.authorization ?? '');
    if (shown !== `Basic ${Buffer.from(`server:${running.server}`).toString('base64')}`) {
      return { status: 401, body: 'not authorized' };
    }
    if (made.isRefusing) {
      return { status: 500 };
    }
    const { newToken: password } = JSON.parse(reveal(request.body ?? ''));
    const { trouble } = made;
    made.trouble = undefined;
    const next = { password, hasAgentToken: running.hasAgentToken };
    try {
      const status = rotatePasswords(files, next, writeToken, (step) => {
        if (step === trouble?.step) {
          throw new Interrupted();
        }
      });
      rotations += status === 200 ? 1 : 0;
      return { status };
    } catch (thrown) {
      if (!(thrown instanceof Interrupted)) {
        throw thrown;
      }
      if (trouble?.ends === 'answers 500') {
        return { status: 500 };
      }
      units.crash('k3s.service');
      return unreachable(url);
    }
  });
  return made;
}

class Interrupted extends Error {
  override readonly name = 'Interrupted';
}
