import type { NodeError } from '../engine/errors.ts';
import type { FoundFile, Host, HostReader } from '../engine/host.ts';
import {
  type Change,
  type ConditionType,
  type Finding,
  inSync,
  type Pacing,
  type Resource,
} from '../engine/resource.ts';
import { type Content, Secret } from '../engine/secret.ts';
import type { Severity } from '../engine/severity.ts';
import { octal } from './file-attributes.ts';

const mode = 0o600;

/** The state of a credential in its file. */
export type Currency =
  | { readonly ok: true; readonly until?: number; readonly message?: string }
  | ({
      readonly ok: false;
      readonly changes: readonly Change[];
      /** True if the credential is due for renewal, but not damaged. */
      readonly due?: boolean;
    } & Partial<Pick<Severity, 'blocks'>>);

export interface CredentialSpec {
  readonly id: string;
  readonly path: string;
  readonly summary: string;
  readonly condition: ConditionType;
  readonly needs?: readonly string[];
  readonly pacing?: Pacing;
  /** Judges the credential by its file, the clock and other files of the machine, without a request to the cloud. */
  readonly isCurrent: (found: FoundFile, now: number, host: HostReader) => Currency | Promise<Currency>;
  /**
   * Fetches the due credentials through `host.obtain`, and returns the new content of the file. If only some could be
   * fetched, returns the content together with the failure.
   */
  readonly render: (host: Host, found: FoundFile | undefined) => Promise<Content | PartlyRendered>;
}

/** Content that is worth writing although some of it could not be fetched, and the failure. */
export interface PartlyRendered {
  readonly content: Content;
  readonly failure: NodeError;
}

/**
 * Keeps a credential in a file with mode 0600 that this process owns. If the credential is missing, damaged or due, or
 * the file has another mode or owner, renders the file again. Writes a partly rendered file, and then throws its
 * failure.
 */
export function credential({ path, isCurrent, render, ...rest }: CredentialSpec): Resource {
  return {
    ...rest,
    async check(host) {
      const found = await host.readFile(path);
      const currency = await judgeCredential(found, isCurrent, host);
      if (currency.ok) {
        return currentUntil(currency);
      }
      const { changes, blocks = true, due = false } = currency;
      return {
        state: 'Drifted',
        drift: {
          changes,
          blocks,
          due,
          remedy: async (host) => writeCredential(host, path, await render(host, found)),
        },
      };
    },
  };
}

async function writeCredential(host: Host, path: string, rendered: Content | PartlyRendered): Promise<void> {
  if (typeof rendered === 'string' || rendered instanceof Secret) {
    return host.writeFile(path, rendered, { mode });
  }
  await host.writeFile(path, rendered.content, { mode });
  throw rendered.failure;
}

function currentUntil({ until, message }: Extract<Currency, { ok: true }>): Finding {
  return inSync({ ...(until !== undefined && { until }), ...(message !== undefined && { message }) });
}

async function judgeCredential(
  found: FoundFile | undefined,
  isCurrent: CredentialSpec['isCurrent'],
  host: HostReader,
): Promise<Currency> {
  if (!found) {
    return { ok: false, changes: [{ field: 'file', observed: undefined, desired: 'present' }] };
  }
  if (found.mode !== mode) {
    return { ok: false, changes: [{ field: 'mode', observed: octal(found.mode), desired: octal(mode) }] };
  }
  if (found.foreignOwner !== undefined) {
    return { ok: false, changes: [{ field: 'owner', observed: found.foreignOwner, desired: 'own' }] };
  }
  return isCurrent(found, host.now(), host);
}
