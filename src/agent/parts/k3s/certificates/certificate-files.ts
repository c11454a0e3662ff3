import { join } from 'node:path';
import { toNodeError } from '../../../engine/errors.ts';
import type { FileStat, HostReader } from '../../../engine/host.ts';
import type { NodePaths } from '../../../paths.ts';
import { type ParsedCertificate, parseCertificates } from './certificate.ts';

/**
 * A certificate of K3s. K3s renews a `leaf` when it starts, and the `serving` certificate of its port while it runs.
 * It never renews a `ca`.
 */
export interface Certificate extends ParsedCertificate {
  /** The path of its file below the data directory of K3s, such as `agent/client-kubelet.crt`; or the port. */
  readonly name: string;
  readonly kind: 'leaf' | 'ca' | 'serving';
  /** When it was issued, in epoch milliseconds. Older releases date `from` back to the start of their CA. */
  readonly issued: number;
}

/** A file or folder whose certificates cannot be read, and why, as a clause. */
export interface Damage {
  readonly path: string;
  readonly why: string;
}

export interface FoundCertificates {
  /** Each certificate once, even if several files contain it. */
  readonly certificates: readonly Certificate[];
  readonly damages: readonly Damage[];
}

/** The largest number of certificate files to read in one folder. A server of K3s has about fifteen. */
const mostFiles = 64;

/**
 * Reads the certificate files of K3s: those of a server and of its etcd (pkg/daemons/control/deps, K3s), and those of
 * kubelet and kube-proxy. Reads no key. Never throws.
 */
export async function certificateFiles(host: HostReader, { k3s }: NodePaths): Promise<FoundCertificates> {
  const folders = [k3s.serverTls, join(k3s.serverTls, 'etcd'), k3s.agent];
  const found = await Promise.all(folders.map((folder) => readFolder(host, folder, k3s.data)));
  return {
    certificates: eachOnce(found.flatMap(({ certificates }) => certificates)),
    damages: found.flatMap(({ damages }) => damages),
  };
}

async function readFolder(host: HostReader, folder: string, data: string): Promise<FoundCertificates> {
  const names = await host.list(folder).catch((thrown: unknown) => toNodeError(thrown).message);
  if (typeof names === 'string') {
    return { certificates: [], damages: [{ path: folder, why: `cannot be read: ${names}` }] };
  }
  const files = names.filter((name) => name.endsWith('.crt')).map((name) => join(folder, name));
  const read = await Promise.all(files.slice(0, mostFiles).map((path) => readCertificates(host, path)));
  const tooMany = {
    path: folder,
    why: `has more than ${mostFiles} certificate files, and the others are not read`,
  };
  return {
    certificates: read.flatMap((file, at) =>
      'why' in file ? [] : namedCertificates(file, (files[at] ?? '').slice(data.length + 1)),
    ),
    damages: [...read.filter((file) => 'why' in file), ...(files.length > mostFiles ? [tooMany] : [])],
  };
}

/** The content of a certificate file. `modified` is in epoch milliseconds. */
interface CertificateFile {
  readonly parsed: readonly ParsedCertificate[];
  readonly modified: number;
}

/** The result of the last read of each file, valid while the size and the time of the file stay the same. */
const known = new WeakMap<HostReader, Map<string, { readonly stat: FileStat; readonly read: Read }>>();

type Read = CertificateFile | Damage;

async function readCertificates(host: HostReader, path: string): Promise<Read> {
  const files = known.get(host) ?? new Map();
  known.set(host, files);
  try {
    const stat = await host.stat(path);
    const last = files.get(path);
    if (stat?.kind === 'file' && last?.stat.size === stat.size && last.stat.modifiedAt === stat.modifiedAt) {
      return last.read;
    }
    const read = await readAnew(host, path);
    if (stat) {
      files.set(path, { stat, read });
    }
    return read;
  } catch (thrown) {
    return { path, why: `cannot be read: ${toNodeError(thrown).message}` };
  }
}

async function readAnew(host: HostReader, path: string): Promise<Read> {
  const found = await host.readFile(path);
  if (found === undefined) {
    return { path, why: 'does not exist any more' };
  }
  const parsed = parseCertificates(found.content);
  return typeof parsed === 'string' ? { path, why: parsed } : { parsed, modified: found.modifiedAt };
}

function namedCertificates({ parsed, modified }: CertificateFile, file: string): readonly Certificate[] {
  return parsed.map((each, at) => ({
    ...each,
    name: at === 0 ? file : `${file}#${at + 1}`,
    kind: at > 0 || each.isCa ? 'ca' : 'leaf',
    issued: modified < each.ends ? Math.max(each.from, modified) : each.from,
  }));
}

/**
 * Omits copies: each leaf has its CA in its chain, and the CA files of K3s repeat each other. Prefers the copy that
 * comes first in its file.
 */
function eachOnce(certificates: readonly Certificate[]): readonly Certificate[] {
  const once = new Map<string, Certificate>();
  for (const each of certificates.toSorted((a, b) => inChain(a) - inChain(b))) {
    once.set(each.fingerprint, once.get(each.fingerprint) ?? each);
  }
  return [...once.values()];
}

function inChain({ name }: Certificate): number {
  return name.includes('#') ? 1 : 0;
}
