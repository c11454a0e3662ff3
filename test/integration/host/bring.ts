import type { Download, Host } from '../../../src/agent/engine/host.ts';
import { type DownloadTools, download, install } from '../../../src/agent/host/http/download.ts';

/** Downloads a release file and puts it in place, as a job and the next pass do. */
export function bring(wanted: Download, tools: DownloadTools): Promise<void> {
  return bringBy({ download: (file) => download(file, tools), install }, wanted);
}

/** Downloads a release file through a Host and puts it in place. */
export async function bringBy(host: Pick<Host, 'download' | 'install'>, wanted: Download): Promise<void> {
  await host.install(wanted, await host.download(wanted));
}
