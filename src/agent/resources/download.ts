import { sha256 } from '../engine/digest.ts';
import type { Download, Host, HostReader, Job } from '../engine/host.ts';
import { underway } from '../engine/jobs.ts';
import { type ConditionType, compare, inSync, type Resource } from '../engine/resource.ts';
import { octal, owner } from './file-attributes.ts';

export interface DownloadSpec {
  readonly id: string;
  readonly summary: string;
  readonly condition: ConditionType;
  readonly needs?: readonly string[];
  /** Returns the version that the installed executable reports; `undefined` if it reports none. */
  readonly installed: (host: HostReader) => Promise<string | undefined>;
  readonly wanted: string;
  /** The path of a file that exists while the job that fetches the executable runs. */
  readonly trace: string;
  readonly download: Download;
  /** Throws if the fetched file is no longer wanted, just before it would be put in place. */
  readonly stillWanted?: (host: HostReader) => Promise<void>;
}

/**
 * Keeps an executable at this version: downloads and verifies it if it is missing or has another version. Until then,
 * dependants use another installed version, or wait if none is installed. Also replaces a file with another mode or
 * owner, unless the path is a link that the operator made.
 *
 * A job fetches the file to a path beside the executable. The next pass puts the file in place if it is still wanted.
 * A Host that waits for its jobs puts the file in place in the same pass, so `stillWanted` looks again.
 */
export function download(spec: DownloadSpec): Resource {
  const { installed, wanted, trace, download, stillWanted = async () => {}, ...rest } = spec;
  const bring = async (host: Host, job: Job): Promise<void> => {
    const digest = await host.perform(job, (signal) => host.download(download, signal));
    await stillWanted(host);
    await host.install(download, digest);
  };
  return {
    ...rest,
    async check(host) {
      const version = await installed(host);
      const found = version === undefined ? undefined : await host.stat(download.path);
      const file = found?.kind === 'file' ? found : undefined;
      const blocks = version === undefined;
      const job = () => ({ trace, what: rest.summary, subject: sha256(JSON.stringify(download)) });
      const finding = compare(
        { version, mode: octal(file?.mode ?? download.mode), owner: owner(file ?? {}) },
        { version: wanted, mode: octal(download.mode), owner: 'own' },
        (host) => bring(host, job()),
        { summary: rest.summary, blocks },
      );
      if (finding.state === 'InSync') {
        return inSync({ message: wanted });
      }
      const running = await host.job(trace);
      return running?.subject === job().subject ? underway(running, blocks) : finding;
    },
  };
}
