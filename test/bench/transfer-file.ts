/**
 * `node transfer-file.ts upload|fetch URL FILE BYTES`: moves a file by the Host of the real machine, and prints by how
 * many megabytes the peak of the process's memory exceeds the memory before the transfer.
 */
import { nodeHost } from '../../src/agent/host/node-host.ts';

const [how = '', url = '', file = '', bytes = ''] = process.argv.slice(2);
const host = nodeHost();
const timeout = 1_800_000;
const before = process.memoryUsage().rss;
const answer =
  how === 'upload'
    ? await host.upload({ url, file, bytes: Number(bytes), timeout })
    : await host.fetchFile({ url, file, limit: Number(bytes), timeout });
if (answer.status !== 200) {
  throw new Error(`The server of the benchmark answered ${answer.status}.`);
}
const peak = process.resourceUsage().maxRSS * 1_024;
process.stdout.write(`${(Math.max(0, peak - before) / 1_000_000).toFixed(1)}\n`);
