import { sha256 } from '../../src/agent/engine/digest.ts';
import type { HttpResponse, HttpSend } from '../../src/agent/engine/host.ts';
import { reveal } from '../../src/agent/engine/secret.ts';
import { parseToken } from '../../src/agent/parts/k3s/membership/token.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import {
  type RotationStep,
  rotatePasswords,
  rowKey,
  rowKeys,
  type ServerFiles,
  startPasswords,
} from '../lab/standins/k3s-bootstrap.ts';
import type { Machine } from './machine.ts';

const paths = nodePaths('/');
const folder = `${paths.k3s.data}/server`;

/** What happens to the next request that rotates the token: after this step, K3s is killed or answers 500. */
export interface RotationTrouble {
  readonly step: RotationStep;
  readonly ends: 'killed' | 'answers 500';
}

/** The bootstrap data in the datastore that several servers share. */
export interface SharedRows {
  text: string | undefined;
}

const rows = 'db/bootstrap.json';

/** The passwords of a K3s server, and the bootstrap data in its datastore or in the one that it shares. */
export class ServerPasswords {
  trouble: RotationTrouble | undefined;
  /** Called once after K3s has stored a new token and before it answers. */
  onRotated: () => void = () => {};
  /** The password that the running K3s accepts. */
  #running = '';
  readonly #machine: Machine;
  readonly #ca: string;
  readonly #files: ServerFiles;

  constructor(machine: Machine, ca: string, shared?: SharedRows) {
    this.#machine = machine;
    this.#ca = sha256(ca);
    this.#files = {
      read: (path) => (shared && path === rows ? shared.text : machine.files.text(`${folder}/${path}`)),
      write: (path, text) => {
        if (shared && path === rows) {
          shared.text = text;
        } else {
          machine.files.write(`${folder}/${path}`, text, 0o600);
        }
      },
      modifiedAt: (path) => machine.files.read(`${folder}/${path}`)?.modifiedAt ?? 0,
    };
  }

  accepts(password: string): boolean {
    return this.#running === password;
  }

  /** True if the datastore has bootstrap data for this password, and for no other one. */
  belongsTo(password: string): boolean {
    return String(rowKeys(this.#files)) === rowKey(password);
  }

  /** True if K3s would start with the token in its file now. */
  isPrepared(): boolean {
    const token = parseToken(this.#machine.files.text(paths.slipway.joinToken) ?? '')?.credential ?? '';
    const known = rowKeys(this.#files);
    return known.length === 0 || known.includes(rowKey(token));
  }

  /** Starts K3s with the token in its file. Returns the line of a fatal error; `undefined` if K3s starts. */
  start(): string | undefined {
    const server = parseToken(this.#machine.files.text(paths.slipway.joinToken) ?? '')?.credential ?? '';
    const error = startPasswords(this.#files, { server, agent: undefined });
    if (error !== undefined) {
      return `time="2026-08-01T10:00:00Z" level=fatal msg="${error}"`;
    }
    this.#writeToken(server);
    this.#running = server;
    return undefined;
  }

  /** Answers PUT /v1-k3s/token; `killed` if K3s ends before it answers. */
  rotate({ headers = {}, body = '' }: HttpSend): HttpResponse | 'killed' {
    const shown = reveal(headers.authorization ?? '');
    if (shown !== `Basic ${Buffer.from(`server:${this.#running}`).toString('base64')}`) {
      return answer(401);
    }
    const { newToken: password } = JSON.parse(reveal(body));
    const { trouble } = this;
    this.trouble = undefined;
    try {
      const next = { password, hasAgentToken: false };
      const status = rotatePasswords(this.#files, next, (text) => this.#writeToken(text), interrupt);
      const { onRotated } = this;
      this.onRotated = () => {};
      onRotated();
      return answer(status);
    } catch (thrown) {
      if (!(thrown instanceof Interrupted)) {
        throw thrown;
      }
      return trouble?.ends === 'killed' ? 'killed' : answer(500);
    }

    function interrupt(step: RotationStep): void {
      if (step === trouble?.step) {
        throw new Interrupted();
      }
    }
  }

  #writeToken(password: string): void {
    this.#machine.files.write(paths.k3s.serverToken, `K10${this.#ca}::server:${password}`, 0o600);
  }
}

class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

function answer(status: number): HttpResponse {
  return { status, headers: {}, body: '' };
}
