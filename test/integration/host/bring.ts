import type { Download, Host } from '../../../src/agent/engine/host.ts';
import { type DownloadTools, download, install } from '../../../src/agent/host/http/download.ts';

/** Downloads a release file and puts it in place, as a job and the pass after it do. */
export function bring(wanted: Download, tools: DownloadTools): Promise<void> {
  return bringBy({ download: (file) => download(file, tools), install }, wanted);
}

/** The same by a Host. */
export async function bringBy(host: Pick<Host, 'download' | 'install'>, wanted: Download): Promise<void> {
  await host.install(wanted, await host.download(wanted));
}
