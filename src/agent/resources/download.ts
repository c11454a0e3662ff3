import type { Download, HostReader } from '../engine/host.ts';
import { type ConditionType, compare, inSync, type Resource } from '../engine/resource.ts';
import { octal, owner } from './file-attributes.ts';

export interface DownloadSpec {
  readonly id: string;
  readonly summary: string;
  readonly condition: ConditionType;
  readonly needs?: readonly string[];
  /** The version that is installed, as the executable itself says; `undefined` where it says nothing. */
  readonly installed: (host: HostReader) => Promise<string | undefined>;
  readonly wanted: string;
  readonly download: Download;
}

/**
 * An executable of this version, downloaded and verified when none is there, or another, which works meanwhile. One that
 * others could have written to, or own, is verified again too; what a link of the operator's leads to is not.
 */
export function download({ installed, wanted, download, ...rest }: DownloadSpec): Resource {
  return {
    ...rest,
    async check(host) {
      const version = await installed(host);
      const found = version === undefined ? undefined : await host.stat(download.path);
      const file = found?.kind === 'file' ? found : undefined;
      const finding = compare(
        { version, mode: octal(file?.mode ?? download.mode), owner: owner(file ?? {}) },
        { version: wanted, mode: octal(download.mode), owner: 'own' },
        (host) => host.download(download),
        { summary: rest.summary, blocks: version === undefined },
      );
      return finding.state === 'InSync' ? inSync({ message: wanted }) : finding;
    },
  };
}
