import { chmodSync, copyFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.ts';

const postject = 'node_modules/postject/dist/cli.js';
const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

export interface Parts {
  /** The Node executable to inject into. */
  readonly base: string;
  /** A Node executable of the same version that this machine can run. */
  readonly builder: string;
  /** The script that the executable runs first. */
  readonly launcher: string;
  /** The files that the launcher can read, by name. */
  readonly assets: Readonly<Record<string, string>>;
}

/**
 * Writes `output`, a Node single executable made of these parts; `work` is the directory for intermediate files.
 *
 * Documentation: https://nodejs.org/docs/latest-v24.x/api/single-executable-applications.html
 */
export function writeSingleExecutable(parts: Parts, output: string, work: string): void {
  const blob = join(work, 'sea.blob');
  const config = join(work, 'sea.json');
  writeFileSync(config, JSON.stringify(seaConfig(parts, blob)));
  run(parts.builder, ['--experimental-sea-config', config]);

  const part = `${output}.part`;
  copyFileSync(parts.base, part);
  chmodSync(part, 0o755);
  // Runs postject's command, because postject's API prints a page of harmless warnings about Node's sections.
  run(process.execPath, [postject, part, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', fuse]);
  renameSync(part, output);
}

function seaConfig({ launcher, assets }: Parts, output: string) {
  return {
    main: launcher,
    output,
    assets,
    disableExperimentalSEAWarning: true,
    // Makes Node ignore NODE_OPTIONS, which could load any code.
    execArgvExtension: 'none',
    // OpenSSL reads OPENSSL_CONF, which can name a library to load, before the first script runs. SIGUSR1 would open
    // Node's debugger on a loopback port, where any user of the machine could run code as root. Node's warnings can
    // quote a library's input; main.ts prints only the name of each warning.
    execArgv: ['--openssl-config=/dev/null', '--disable-sigusr1', '--no-warnings'],
    useSnapshot: false,
    useCodeCache: false,
  };
}
