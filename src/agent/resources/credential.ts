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

/** What a credential's reader finds in the file it wrote. */
export type Currency =
  | { readonly ok: true; readonly until?: number; readonly message?: string }
  | ({
      readonly ok: false;
      readonly changes: readonly Change[];
      /** True where it has only had its time. */
      readonly due?: boolean;
    } & Partial<Pick<Severity, 'blocks'>>);

export interface CredentialSpec {
  readonly id: string;
  readonly path: string;
  readonly summary: string;
  readonly condition: ConditionType;
  readonly needs?: readonly string[];
  readonly pacing?: Pacing;
  /** Judges the file by itself, the clock and other files of the machine; the cloud is not asked. */
  readonly isCurrent: (found: FoundFile, now: number, host: HostReader) => Currency | Promise<Currency>;
  /** Gets what is due through `host.obtain` and gives the file's new content. */
  readonly render: (host: Host, found: FoundFile | undefined) => Promise<Content | PartlyRendered>;
}

/** A content that is worth writing, and why it is not all that is wanted. */
export interface PartlyRendered {
  readonly content: Content;
  readonly failure: NodeError;
}

/** A 0600 file whose content must be fetched: fetched when it is missing, damaged or due, and then replaced whole. */
export function credential({ path, isCurrent, render, ...rest }: CredentialSpec): Resource {
  return {
    ...rest,
    async check(host) {
      const found = await host.readFile(path);
      const currency = await judgeCredential(found, isCurrent, host);
      if (currency.ok) return currentUntil(currency);
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
  if (typeof rendered === 'string' || rendered instanceof Secret)
    return host.writeFile(path, rendered, { mode });
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
  if (!found) return { ok: false, changes: [{ field: 'file', observed: undefined, desired: 'present' }] };
  if (found.mode !== mode) {
    return { ok: false, changes: [{ field: 'mode', observed: octal(found.mode), desired: octal(mode) }] };
  }
  if (found.foreignOwner !== undefined) {
    return { ok: false, changes: [{ field: 'owner', observed: found.foreignOwner, desired: 'own' }] };
  }
  return isCurrent(found, host.now(), host);
}
